#include "decode/evtx_template.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/hash.h"
#include "base/memory.h"
#include "decode/evtx_text.h"

enum {
    BUCKETS = 1024,
    NEAR = 1024, /* power of two over EVTX_CHUNK_TEMPLATES */
    PLACES = 16384,
    TEMPLATE_DEPTH = 128,
    MARKED = 64, /* children of an element that are compared with each other */
};

/* What the template at an offset of this chunk is: compiled, or broken and why. */
struct near {
    uint32_t at;
    uint32_t chunk; /* the count of chunks when it was found; another one: free */
    struct evtx_template *template;
    struct evtx_fault fault;
};

struct evtx_templates {
    struct arena arena;
    struct slice chunk;
    uint32_t near_count;
    uint32_t chunks; /* so far, and how often all was forgotten */
    uint32_t work;
    uint64_t compiled;
    struct near near[NEAR];
    struct evtx_template *buckets[BUCKETS];
    struct evtx_nodes nodes; /* for reading, then copied */
    struct evtx_name_place places[PLACES];
};

struct evtx_templates *evtx_template_cache_new(void)
{
    struct evtx_templates *templates = memory_alloc(sizeof *templates);
    if (templates) {
        arena_init(&templates->arena, EVTX_CACHE_HARD);
    }
    return templates;
}

void evtx_template_cache_free(struct evtx_templates *templates)
{
    if (templates) {
        arena_fini(&templates->arena);
        evtx_tree_fini(&templates->nodes);
        memory_free(templates);
    }
}

static void forget_near(struct evtx_templates *templates)
{
    templates->near_count = 0;
    if (++templates->chunks == 0) {
        memset(templates->near, 0, sizeof templates->near);
        templates->chunks = 1;
    }
}

void evtx_template_chunk(struct evtx_templates *templates, struct slice chunk)
{
    templates->chunk = chunk;
    templates->work = 0;
    forget_near(templates);
}

void evtx_template_tidy(struct evtx_templates *templates)
{
    if (templates->arena.used > EVTX_CACHE_SOFT) {
        memset(templates->buckets, 0, sizeof templates->buckets);
        forget_near(templates);
        arena_reset(&templates->arena);
    }
}

void *evtx_template_alloc(struct evtx_templates *templates, size_t size, size_t align)
{
    return arena_alloc(&templates->arena, size, align);
}

uint64_t evtx_template_compiled(const struct evtx_templates *templates)
{
    return templates->compiled;
}

/* A name's offset in the body at `place` names the same string in this chunk. */
static bool same_name(
        struct slice chunk, uint32_t body_at, const struct evtx_name_place *place, uint32_t size)
{
    if (place->at + 4 > size) {
        return false;
    }
    uint32_t name_at = evtx_u32(chunk.at + body_at + place->at);
    bool here = name_at == body_at + place->at + 4;
    if (here != (place->size != 0)) {
        return false;
    }
    /* One that stands right here is compared with the bytes of the body. */
    return here || slice_equal(evtx_tree_name(chunk, name_at), place->name);
}

/* The bytes agree where the mask has bits. */
static bool same_bytes(const char *a, const struct evtx_template *template)
{
    const char *b = template->body.at, *mask = template->mask;
    size_t size = template->body.size, i = 0;
#ifdef __SSE2__
    __m128i differ = _mm_setzero_si128();
    for (; i + 16 <= size; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(b + i));
        __m128i m = _mm_loadu_si128((const __m128i *)(const void *)(mask + i));
        differ = _mm_or_si128(differ, _mm_and_si128(_mm_xor_si128(x, y), m));
    }
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(differ, _mm_setzero_si128())) != 0xFFFF) {
        return false;
    }
#endif
    int rest = 0;
    for (; i < size; i++) {
        rest |= (a[i] ^ b[i]) & mask[i];
    }
    return rest == 0;
}

static bool same_template(
        struct slice chunk, uint32_t body_at, const struct evtx_template *template)
{
    if (!same_bytes(chunk.at + body_at, template)) {
        return false;
    }
    uint32_t size = (uint32_t) template->body.size;
    for (uint32_t i = 0; i < template->place_count; i++) {
        if (!same_name(chunk, body_at, &template->places[i], size)) {
            return false;
        }
    }
    return true;
}

/* The offsets of names, and the links between the chunk's names, differ from chunk to chunk. */
static bool make_mask(struct evtx_templates *templates, struct evtx_template *template)
{
    char *mask = arena_alloc(&templates->arena, template->body.size, 1);
    if (!mask) {
        return false;
    }
    memset(mask, 0xFF, template->body.size);
    for (uint32_t i = 0; i < template->place_count; i++) {
        const struct evtx_name_place *place = &template->places[i];
        memset(mask + place->at, 0, place->size ? 8 : 4);
    }
    template->mask = mask;
    return true;
}

static bool copy_places(struct evtx_templates *templates, struct evtx_template *template,
        const struct evtx_places *places)
{
    struct evtx_name_place *copy =
            ARENA_ARRAY(&templates->arena, struct evtx_name_place, places->count);
    if (!copy) {
        return false;
    }
    for (uint32_t i = 0; i < places->count; i++) {
        copy[i] = places->at[i];
        copy[i].name = arena_copy(&templates->arena, places->at[i].name);
        if (!copy[i].name.at) {
            return false;
        }
    }
    template->places = copy;
    template->place_count = places->count;
    return true;
}

/* A constant text is a value unless it is the name of a Data element: that one is a key. */
static bool is_key(const struct evtx_template *template, uint32_t text_at)
{
    const struct evtx_node *nodes = template->nodes;
    return text_at >= 2 && nodes[text_at - 1].kind == EVTX_ATTRIBUTE &&
           slice_equal(nodes[text_at - 1].text, SLICE("Name")) &&
           nodes[text_at - 2].kind == EVTX_ELEMENT &&
           slice_equal(nodes[text_at - 2].text, SLICE("Data"));
}

/* The key of an element in its parent, a Data element's in a container by its attribute Name.
 * Empty: none; .at NULL: made of values. */
static struct slice sibling_key(const struct evtx_node *nodes, uint32_t at, bool container)
{
    if (!container || !slice_equal(nodes[at].text, SLICE("Data"))) {
        return nodes[at].text;
    }
    for (uint32_t i = at + 1; i < nodes[at].end && nodes[i].kind == EVTX_ATTRIBUTE;
            i = nodes[i].end) {
        if (slice_equal(nodes[i].text, SLICE("Name"))) {
            bool constant = nodes[i].end == i + 2 && nodes[i + 1].kind == EVTX_TEXT;
            return constant ? nodes[i + 1].text : (struct slice){0};
        }
    }
    return SLICE("");
}

/* Marks the children of an element that are alone with their key. A slot beside them may hold
 * anything. Keys of Data and of others are not told apart, which marks fewer. */
static void mark_children(struct evtx_node *nodes, uint32_t element)
{
    bool container = slice_equal(nodes[element].text, SLICE("EventData")) ||
                     slice_equal(nodes[element].text, SLICE("UserData"));
    uint32_t children[MARKED];
    struct slice keys[MARKED];
    uint32_t count = 0;
    for (uint32_t i = element + 1; i < nodes[element].end; i = nodes[i].end) {
        if (nodes[i].kind == EVTX_SLOT || count == MARKED) {
            return;
        }
        if (nodes[i].kind == EVTX_ELEMENT) {
            keys[count] = sibling_key(nodes, i, container);
            if (!keys[count].at) {
                return;
            }
            children[count++] = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        bool alone = keys[i].size > 0;
        for (uint32_t k = 0; k < count && alone; k++) {
            alone = k == i || !slice_equal(keys[i], keys[k]);
        }
        nodes[children[i]].slot = alone ? EVTX_ALONE : 0;
    }
}

static void mark_alone(struct evtx_node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].kind == EVTX_ELEMENT) {
            mark_children(nodes, i);
        }
    }
}

static bool collect_constants(struct evtx_templates *templates, struct evtx_template *template)
{
    size_t size = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        char *to = pass ? arena_alloc(&templates->arena, size, 1) : NULL;
        if (pass && !to) {
            return false;
        }
        template->constants = slice_of(to, size);
        for (uint32_t i = 0; i < template->count; i++) {
            const struct evtx_node *node = &template->nodes[i];
            if (node->kind != EVTX_TEXT || is_key(template, i)) {
                continue;
            }
            if (to) {
                memcpy(to, node->text.at, node->text.size);
                to += node->text.size + 1; /* the arena's bytes are zero */
            } else {
                size += node->text.size + 1;
            }
        }
    }
    return true;
}

static struct evtx_template *compile(
        struct evtx_templates *templates, uint32_t at, uint32_t size, struct evtx_fault *fault)
{
    struct arena *arena = &templates->arena;
    struct evtx_template *template = ARENA_NEW(arena, struct evtx_template);
    struct evtx_source source = {.chunk = templates->chunk,
            .at = at + EVTX_TEMPLATE_HEADER,
            .end = at + EVTX_TEMPLATE_HEADER + size,
            .template = true,
            .depth = TEMPLATE_DEPTH,
            .texts = arena};
    struct evtx_places places = {.at = templates->places, .room = PLACES};
    templates->nodes.count = 0;
    if (!evtx_tree_read_placed(&source, &templates->nodes, &places, fault)) {
        return NULL;
    }
    templates->compiled++;
    uint32_t count = templates->nodes.count;
    struct evtx_node *nodes = ARENA_ARRAY(arena, struct evtx_node, count);
    *fault = (struct evtx_fault){"no memory for templates", at};
    if (!template || !nodes || !copy_places(templates, template, &places)) {
        return NULL;
    }
    template->body = arena_copy(arena, slice_of(templates->chunk.at + source.at, size));
    if (!template->body.at) {
        return NULL;
    }
    if (count) {
        memcpy(nodes, templates->nodes.at, count * sizeof *nodes);
    }
    mark_alone(nodes, count);
    template->nodes = nodes;
    template->count = count;
    memcpy(template->guid, templates->chunk.at + at + 4, sizeof template->guid);
    return make_mask(templates, template) && collect_constants(templates, template) ? template
                                                                                    : NULL;
}

/* The template stored at an offset of the chunk, from the cache or compiled. */
static struct evtx_template *load(
        struct evtx_templates *templates, uint32_t at, struct evtx_fault *fault)
{
    struct slice chunk = templates->chunk;
    *fault = (struct evtx_fault){"template outside the chunk", at};
    if (at < EVTX_CHUNK_HEADER || at > chunk.size || chunk.size - at < EVTX_TEMPLATE_HEADER) {
        return NULL;
    }
    uint32_t size = evtx_u32(chunk.at + at + 20);
    if (size > chunk.size - at - EVTX_TEMPLATE_HEADER) {
        return NULL;
    }
    templates->work += size;
    if (templates->work > EVTX_CHUNK_WORK) {
        fault->what = "the chunk's templates take too much work";
        return NULL;
    }
    uint64_t hash = hash_bytes(slice_of(chunk.at + at + 4, 20), 0); /* GUID and size */
    struct evtx_template **bucket = &templates->buckets[hash % BUCKETS];
    for (struct evtx_template *t = *bucket; t; t = t->next) {
        if (t->body.size == size && memcmp(t->guid, chunk.at + at + 4, sizeof t->guid) == 0 &&
                same_template(chunk, at + EVTX_TEMPLATE_HEADER, t)) {
            return t;
        }
    }
    struct evtx_template *template = compile(templates, at, size, fault);
    if (template) {
        template->next = *bucket;
        *bucket = template;
    }
    return template;
}

static const struct near *find(struct evtx_templates *templates, uint32_t at)
{
    static const struct near too_many = {.fault = {"too many templates in the chunk", 0}};
    struct near *near;
    for (uint32_t i = at * 0x9E3779B1u >> 22;; i = (i + 1) % NEAR) {
        near = &templates->near[i];
        if (near->chunk != templates->chunks) {
            break;
        }
        if (near->at == at) {
            return near;
        }
    }
    if (templates->near_count == EVTX_CHUNK_TEMPLATES) {
        return &too_many;
    }
    near->template = load(templates, at, &near->fault);
    near->at = at;
    near->chunk = templates->chunks;
    templates->near_count++;
    return near;
}

static bool fail(struct evtx_fault *fault, const char *what, uint32_t at)
{
    *fault = (struct evtx_fault){what, at};
    return false;
}

/* Room for what the template's instances have in common; where there is none, they are read one
 * value after another. */
static void make_layout(
        struct evtx_templates *templates, struct evtx_template *template, uint32_t count)
{
    if (count == 0 || count > EVTX_LAYOUT_VALUES) {
        return;
    }
    template->layout =
            evtx_template_alloc(templates, evtx_values_layout_size(count), EVTX_LAYOUT_ALIGN);
    if (template->layout) {
        evtx_values_layout(template->layout, count);
    }
}

bool evtx_template_instance(struct evtx_templates *templates, struct evtx_place place,
        struct evtx_values *values, struct evtx_instance *instance, struct evtx_fault *fault)
{
    static const char early[] = "instance of a template ends too early";
    struct slice chunk = templates->chunk;
    uint32_t at = place.at;
    if (place.end - at < 13) {
        return fail(fault, early, at);
    }
    uint32_t template_at = evtx_u32(chunk.at + at + 5);
    const struct near *near = find(templates, template_at);
    struct evtx_template *template = near->template;
    if (!template) {
        return fail(fault, near->fault.what, near->fault.at ? near->fault.at : template_at);
    }
    at += 9;
    if (template_at == at) {
        size_t stored = EVTX_TEMPLATE_HEADER + template->body.size;
        if (stored + 4 > place.end - at) {
            return fail(fault, early, at);
        }
        at += (uint32_t)stored;
    }
    uint32_t count = evtx_u32(chunk.at + at);
    at += 4;
    if (count > (place.end - at) / 4 || count > EVTX_VALUES_LIMIT - values->used) {
        return fail(fault, "more values than there is room for", at - 4);
    }
    if (!template->layout) {
        make_layout(templates, template, count);
    }
    const struct evtx_placing in = {.chunk = chunk,
            .at = at,
            .end = place.end,
            .count = count,
            .layout = template->layout,
            .values = &values->at[values->used]};
    instance->template = template;
    instance->first = values->used;
    instance->count = count;
    if (!evtx_values_place(&in, &instance->placed, fault)) {
        return false;
    }
    values->used += count;
    return true;
}
