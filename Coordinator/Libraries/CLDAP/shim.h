/* OpenLDAP's client library. */
#pragma once
#include <lber.h>
#include <ldap.h>
#include <sys/time.h>
