/* hunt_book_run: one query of a book, run in a sealed process.
 *
 *     struct hunt_book_run run = {0};
 *     TRY(hunt_book_run_query(&request, query_text, columns, &run, diag));   // run.rows, run.notes
 *     hunt_book_run_fini(&run); */
#pragma once

#include "cli/hunt_book.h"
#include "cli/hunt_frames.h"

struct hunt_book_run {
    struct buf rows; /* cells of the first request->rows rows */
    uint64_t kept;
    bool ended;
    struct hunt_frames_end end;
    struct buf notes; /* what it said on stderr, whole lines */
    bool complete;
};

/* ERR_IO: no process could be started. How a query ends is told in *run. */
enum err hunt_book_run_query(const struct hunt_book_request *request, const char *query,
        uint32_t columns, struct hunt_book_run *run, struct diag *diag) MUST_CHECK;
void hunt_book_run_fini(struct hunt_book_run *run);
