/* Password hashing: argon2id by libsodium, bcrypt by libcrypt. */
#pragma once
#include <crypt.h>
#include <sodium.h>
