/* Password hashing: argon2id by libsodium, bcrypt by libcrypt. */
#pragma once
#include <crypt.h>
#include <malloc.h>
#include <sodium.h>
