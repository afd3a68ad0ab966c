/* evtx_tree: BinXml ([MS-EVEN6] 2.2.12) read into a flat tree.
 *
 *     struct evtx_nodes nodes = {0};
 *     struct evtx_source source = {.chunk = chunk, .at = at, .end = end, .template = true,
 *         .texts = &arena, .depth = 128};
 *     if (!evtx_tree_read(&source, &nodes, &fault)) ...
 *
 * Nodes stand in the order of the document; `end` of an element or attribute is the index behind
 * what it holds, so a walk needs no pointers and no recursion. A template keeps slots where its
 * instances put their values. Names, constant texts and entities are UTF-8 in the arena; processing
 * instructions are left out, JSON has no place for them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "decode/evtx_bytes.h"

enum evtx_node_kind {
    EVTX_ELEMENT,
    EVTX_ATTRIBUTE, /* all of an element's stand before its content */
    EVTX_TEXT,      /* text: UTF-8, not empty; outside templates strings are values */
    EVTX_VALUE,     /* text: the bytes of a value of `type` */
    EVTX_SLOT,      /* the value number `slot` of the template's instance */
    EVTX_INSTANCE,  /* text: an instance of a template, from behind its token */
    EVTX_FRAGMENT,  /* text: BinXml */
};

struct evtx_node {
    uint8_t kind;
    uint8_t type;      /* EVTX_VALUE: enum evtx_type; EVTX_SLOT: the type that it expects */
    uint16_t slot;     /* EVTX_SLOT; EVTX_ELEMENT: EVTX_ALONE or 0 */
    uint32_t end;      /* the next sibling: the index behind this node and all in it */
    struct slice text; /* EVTX_ELEMENT, EVTX_ATTRIBUTE: the name */
};

/* No sibling has the name of this element, or of this Data element's attribute Name. */
enum { EVTX_ALONE = 1 };

struct evtx_nodes {
    struct evtx_node *at; /* owned */
    uint32_t count;
    uint32_t room;
};

enum {
    EVTX_NODES_LIMIT = 1 << 18, /* of one record; real ones have some hundred */
    EVTX_DEPTH_LIMIT = 256,     /* of open elements in one stream */
};

/* One more node at the end: NULL when EVTX_NODES_LIMIT or the memory is at its end. Older pointers
 * to nodes are void. */
struct evtx_node *evtx_tree_add(struct evtx_nodes *nodes);
void evtx_tree_fini(struct evtx_nodes *nodes);

/* Names of a chunk as UTF-8, by their offset: a chunk names the same strings over and over. */
enum { EVTX_NAMES = 512 };
struct evtx_names {
    struct arena arena; /* of the names; forgotten with the chunk */
    uint32_t chunk;     /* how many chunks there were */
    struct {
        uint32_t at;
        uint32_t chunk; /* another one: free */
        struct slice name;
    } slots[EVTX_NAMES];
};

/* A stretch of a chunk that holds BinXml. */
struct evtx_source {
    struct slice chunk;
    uint32_t at; /* offsets in the chunk */
    uint32_t end;
    bool template;            /* a template's body: slots, and dependency numbers at elements */
    uint32_t depth;           /* of elements, at most EVTX_DEPTH_LIMIT */
    struct arena *texts;      /* owner of the texts that are not in the chunk */
    struct evtx_names *names; /* owner of the names; NULL: `texts` */
};

/* Adds the nodes of a source up to its end token or its end. False: broken, *fault says how; what
 * was added is to be thrown away. */
bool evtx_tree_read(
        const struct evtx_source *source, struct evtx_nodes *nodes, struct evtx_fault *fault);

/* The name at an offset of the chunk as UTF-16LE; .at NULL when it does not fit into the chunk. */
struct slice evtx_tree_name(struct slice chunk, uint32_t at);

void evtx_tree_forget_names(struct evtx_names *names);
/* The same as UTF-8, borrowed until the chunk's names are forgotten. False: it does not fit, or no
 * memory. */
bool evtx_tree_name_text(
        struct evtx_names *names, struct slice chunk, uint32_t at, struct slice *text);

/* A place in a template's body that names a string of the chunk. */
struct evtx_name_place {
    uint32_t at;       /* in the body */
    uint32_t size;     /* of the name's bytes when the name is defined right there, else 0 */
    struct slice name; /* UTF-16LE, in the chunk */
};
enum { EVTX_NAME_ENTRY = 8, /* next, hash, length in front of a name; two bytes of NUL follow */ };
/* As evtx_tree_read, and notes each name's place in `places` (room of them; *count is what there
 * were). */
struct evtx_places {
    struct evtx_name_place *at;
    uint32_t count;
    uint32_t room;
};
bool evtx_tree_read_placed(const struct evtx_source *source, struct evtx_nodes *nodes,
        struct evtx_places *places, struct evtx_fault *fault);
