/* hunt_book: what `merlon hunt book` does, from its request to its exit code. Each query runs in a
 * process of its own, sealed before it reads a byte of an input; this one reads no input, and alone
 * writes the book's files.
 *
 *     const struct verb_app app = {.hunt_book = hunt_book_run, ...}; */
#pragma once

#include "cli/hunt_book.h"

int hunt_book_run(const struct hunt_book_request *request);
