/* PostgreSQL's client library. */
#pragma once
#include <postgresql/libpq-fe.h>
