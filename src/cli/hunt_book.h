/* hunt_book: the words of `merlon hunt book`.
 *
 *     merlon hunt book hunts/cloud logs/         ->   struct hunt_book_request
 *     merlon hunt book --write my-hunts/ --from 2026-11-01 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/hunt.h"

struct hunt_book_request {
    struct words books; /* files and folders of hunts */
    struct hunt_request hunt;
    bool check; /* read the books, run nothing */
    bool write; /* the results into their files */
    bool json;
    size_t rows; /* at most, of each hunt, are kept */
};

extern const struct verb hunt_book_verb;
