/* sort, top, rare, first and last: rows kept and put in order. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "hunt/stage_forms.h"
#include "hunt/stage_table.h"
#include "sigma/predicate.h"

struct kept {
    struct row_cell *cells; /* owned, in one piece with what they point to */
    uint64_t sequence;      /* in order of coming */
};

/* Without a limit rows as they came; with one a heap of the best, the worst first. */
struct heap {
    struct kept *rows;
    size_t room;
    size_t count;
};

struct keep {
    struct stage stage;
    struct heap *heaps; /* one; with `by` one each group */
    size_t heap_room;
    uint32_t heap_count;
    struct stage_table table;
    struct row_cell *cells; /* what a row is grouped by */
    uint64_t sequence;
    uint64_t tied;    /* rows dropped that rank as the worst one kept does */
    uint64_t untimed; /* rows dropped since they have no time */
};

static void keep_free(struct stage *s)
{
    struct keep *k = (struct keep *)s;
    for (uint32_t h = 0; h < k->heap_count; h++) {
        for (size_t i = 0; i < k->heaps[h].count; i++) {
            memory_free(k->heaps[h].rows[i].cells);
        }
        memory_free(k->heaps[h].rows);
    }
    memory_free(k->heaps);
    stage_table_fini(&k->table);
    memory_free(k->cells);
    memory_free(k);
}

/* ---- order --------------------------------------------------------------------------------- */

/* 0: of the kind that is asked for; 1: some other text; 2: absent. *number holds any int64 and any
 * double exactly. */
static int typed(const struct row_cell *cell, enum stage_as as, long double *number)
{
    if (cell->count == 0) {
        return 2;
    }
    const struct row_value *v = &cell->values[0];
    int64_t integer = v->integer;
    double real = 0;
    bool whole = true;
    if (v->kind == ROW_TEXT && as == AS_NUMBER) {
        if (!predicate_parse_number(v->text, &real, &whole, &integer)) {
            return 1;
        }
    } else if (v->kind == ROW_TEXT && !time_parse(v->text, &integer)) {
        return 1;
    }
    *number = whole ? (long double)integer : (long double)real;
    return 0;
}

static int compare_typed(
        const struct row_cell *a, const struct row_cell *b, const struct stage_order *order)
{
    long double x = 0, y = 0;
    int p = typed(a, order->as, &x), q = typed(b, order->as, &y);
    if (p != q) {
        return p < q ? -1 : 1;
    }
    int sign = order->descending ? -1 : 1;
    if (p == 0) {
        return sign * (x < y ? -1 : x > y);
    }
    return sign * row_compare_cells(a, b);
}

static int compare_texts(const struct row_cell *a, const struct row_cell *b)
{
    struct buf x = {0}, y = {0};
    row_write(&a->values[0], &x);
    row_write(&b->values[0], &y);
    int order = slice_compare(buf_slice(&x), buf_slice(&y));
    buf_fini(&x);
    buf_fini(&y);
    return order;
}

/* What is absent stands last, whichever way. */
static int compare_one(
        const struct row_cell *a, const struct row_cell *b, const struct stage_order *order)
{
    if (order->as == AS_NUMBER || order->as == AS_TIME) {
        return compare_typed(a, b, order);
    }
    if (a->count == 0 || b->count == 0) {
        return row_compare_cells(a, b);
    }
    int o = order->as == AS_TEXT ? compare_texts(a, b) : row_compare_cells(a, b);
    return order->descending ? -o : o;
}

static int compare_cells(const struct stage_plan *plan, const struct row_cell *a,
        const struct row_cell *b, uint32_t orders)
{
    for (uint32_t i = 0; i < orders; i++) {
        const struct stage_order *order = &plan->orders[i];
        int o = compare_one(&a[order->slot], &b[order->slot], order);
        if (o) {
            return o;
        }
    }
    return 0;
}

/* Ties keep the order in which they came; for last, the later one comes first. */
static int compare_kept(const struct stage_plan *plan, const struct kept *a, const struct kept *b)
{
    int o = compare_cells(plan, a->cells, b->cells, plan->order_count);
    if (o == 0 && a->sequence != b->sequence) {
        o = a->sequence < b->sequence ? -1 : 1;
        o = plan->kind == STAGE_LAST ? -o : o;
    }
    return o;
}

static int compare_for_sort(const void *a, const void *b, void *plan)
{
    return compare_kept(plan, a, b);
}

/* ---- heaps --------------------------------------------------------------------------------- */

static void swap(struct kept *a, struct kept *b)
{
    struct kept c = *a;
    *a = *b;
    *b = c;
}

static void sift_up(const struct stage_plan *plan, struct heap *h, size_t i)
{
    while (i > 0 && compare_kept(plan, &h->rows[i], &h->rows[(i - 1) / 2]) > 0) {
        swap(&h->rows[i], &h->rows[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void sift_down(const struct stage_plan *plan, struct heap *h)
{
    for (size_t i = 0;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->count; child++) {
            worst = compare_kept(plan, &h->rows[child], &h->rows[worst]) > 0 ? child : worst;
        }
        if (worst == i) {
            return;
        }
        swap(&h->rows[i], &h->rows[worst]);
        i = worst;
    }
}

/* What a copy takes, with what the allocator adds. */
static size_t copy_bytes(const struct keep *k, const struct row_cell *cells)
{
    return (row_size(cells, k->stage.plan->width) + 127) & ~(size_t)63;
}

static enum err copy_row(
        struct keep *k, const struct row_cell *cells, struct row_cell **out, struct diag *diag)
{
    TRY(stage_take(&k->stage, copy_bytes(k, cells), diag));
    void *block = memory_alloc(row_size(cells, k->stage.plan->width) + 1);
    if (!block) {
        return stage_no_memory(diag);
    }
    *out = row_copy(cells, k->stage.plan->width, block);
    return OK;
}

static enum err add_row(
        struct keep *k, struct heap *h, const struct row_cell *cells, struct diag *diag)
{
    size_t before = h->room;
    if (h->count == before) {
        TRY(stage_take(&k->stage, (before ? before : 64) * sizeof *h->rows, diag));
        if (!memory_grow(&h->rows, &h->room, h->count + 1, sizeof *h->rows)) {
            return stage_no_memory(diag);
        }
    }
    struct kept row = {.sequence = k->sequence};
    TRY(copy_row(k, cells, &row.cells, diag));
    h->rows[h->count++] = row;
    if (k->stage.plan->limit) {
        sift_up(k->stage.plan, h, h->count - 1);
    }
    return OK;
}

/* The heap is full: the row takes the worst one's place, or is dropped itself. */
static enum err replace_row(
        struct keep *k, struct heap *h, const struct row_cell *cells, struct diag *diag)
{
    const struct stage_plan *plan = k->stage.plan;
    struct kept row = {(struct row_cell *)cells, k->sequence}, *worst = &h->rows[0];
    if (compare_kept(plan, &row, worst) > 0) {
        k->tied += compare_cells(plan, cells, worst->cells, plan->rank_count) == 0;
        return OK;
    }
    TRY(copy_row(k, cells, &row.cells, diag));
    struct row_cell *dropped = worst->cells;
    *worst = row;
    sift_down(plan, h);
    bool tied = compare_cells(plan, dropped, h->rows[0].cells, plan->rank_count) == 0;
    k->tied = tied ? k->tied + 1 : 0;
    k->stage.used -= copy_bytes(k, dropped);
    memory_free(dropped);
    return OK;
}

/* ---- the stage ----------------------------------------------------------------------------- */

static enum err heap_of(struct keep *k, uint32_t group, struct heap **out, struct diag *diag)
{
    while (k->heap_count <= group) {
        size_t before = k->heap_room;
        if (k->heap_count == before) {
            TRY(stage_take(&k->stage, (before ? before : 64) * sizeof *k->heaps, diag));
        }
        if (!memory_grow(&k->heaps, &k->heap_room, k->heap_count + 1, sizeof *k->heaps)) {
            return stage_no_memory(diag);
        }
        k->heaps[k->heap_count++] = (struct heap){0};
    }
    *out = &k->heaps[group];
    return OK;
}

static enum err keep_in(
        struct keep *k, uint32_t group, const struct row_cell *cells, struct diag *diag)
{
    struct heap *h = NULL;
    TRY(heap_of(k, group, &h, diag));
    uint64_t limit = k->stage.plan->limit;
    return limit && h->count == limit ? replace_row(k, h, cells, diag) : add_row(k, h, cells, diag);
}

static enum err keep_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct keep *k = (struct keep *)s;
    const struct stage_plan *plan = s->plan;
    k->sequence++;
    if (plan->time_slot != FIELD_NONE && cells[plan->time_slot].count == 0) {
        k->untimed++;
        return OK;
    }
    if (plan->by_count == 0) {
        return keep_in(k, 0, cells, diag);
    }
    for (uint32_t i = 0; i < plan->by_count; i++) {
        k->cells[i] = cells[plan->by[i]];
    }
    TRY(stage_table_each(&k->table, s, k->cells, diag));
    for (uint32_t i = 0; i < k->table.found_count; i++) {
        TRY(keep_in(k, k->table.found[i], cells, diag));
    }
    return OK;
}

/* All groups' rows as the first one's. */
static enum err join_heaps(struct keep *k, struct heap *all, struct diag *diag)
{
    size_t count = 0;
    for (uint32_t h = 0; h < k->heap_count; h++) {
        count += k->heaps[h].count;
    }
    TRY(stage_take(&k->stage, count * sizeof *all->rows, diag));
    all->rows = memory_alloc_array(count + 1, sizeof *all->rows);
    if (!all->rows) {
        return stage_no_memory(diag);
    }
    for (uint32_t h = 0; h < k->heap_count; h++) {
        for (size_t i = 0; i < k->heaps[h].count; i++) {
            all->rows[all->count++] = k->heaps[h].rows[i];
        }
    }
    return OK;
}

static void say_what_is_missing(const struct keep *k)
{
    struct buf *notes = &k->stage.shared->notes;
    struct slice word = stage_word(&k->stage);
    if (k->tied && k->stage.plan->rank_count) {
        buf_format(notes, "%.*s %llu: %llu more rows rank as the last one shown does\n",
                SLICE_ARG(word), (unsigned long long)k->stage.plan->limit,
                (unsigned long long)k->tied);
    }
    if (k->untimed) {
        k->stage.shared->partial = true;
        buf_format(notes, "%.*s: %llu events without a time are left out\n", SLICE_ARG(word),
                (unsigned long long)k->untimed);
    }
}

static enum err keep_end(struct stage *s, struct diag *diag)
{
    struct keep *k = (struct keep *)s;
    struct heap all = {0};
    enum err e = join_heaps(k, &all, diag);
    if (e == OK && all.count) {
        qsort_r(all.rows, all.count, sizeof *all.rows, compare_for_sort, (void *)s->plan);
    }
    for (size_t i = 0; e == OK && i < all.count; i++) {
        /* A row of two groups goes on once. */
        if (i == 0 || all.rows[i].sequence != all.rows[i - 1].sequence) {
            e = stage_give(s->next, all.rows[i].cells, diag);
        }
    }
    say_what_is_missing(k);
    memory_free(all.rows);
    return e;
}

static const struct stage_form keep_form = {.give = keep_give, .end = keep_end, .free = keep_free};

enum err stage_keep_new(const struct stage_plan *plan, struct stage **out)
{
    struct keep *k = memory_alloc(sizeof *k);
    if (!k) {
        return ERR_MEMORY;
    }
    k->stage.form = &keep_form;
    k->cells = memory_alloc_array(plan->by_count + 1, sizeof *k->cells);
    if (stage_table_init(&k->table, plan->by_count) != OK || !k->cells) {
        keep_free(&k->stage);
        return ERR_MEMORY;
    }
    *out = &k->stage;
    return OK;
}
