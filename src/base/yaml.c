/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libyaml turns the bytes into events; a stack of open lists and maps turns the events into a tree.
 *
 * Three kinds of trouble, told apart because they end differently: what YAML allows and we do not
 * (aliases, tags, a key twice) is reported and left out, and reading goes on; a limit passed, or
 * bytes that are not YAML, end the reading and leave no tree; what a loader finds wrong later comes
 * through yaml_problem like the rest.
 */
#include "base/yaml.h"

#include "base/map.h"
#include "base/nearest.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    MESSAGE_BYTES = 600,
    SHOWN_CHARS = 100, /* of a source line; more is cut around the place */
    QUOTED_BYTES = 60, /* of a text that a message repeats */
};

/* A place in the file, both from 1; columns count characters. */
struct place {
    size_t line, column;
};

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){mark.line + 1, mark.column + 1};
}

/* --- problems --------------------------------------------------------------------------------- */

/* The bytes of the line break that s starts with (YAML 1.1, section 5.4), or 0. */
static size_t break_bytes(struct str s)
{
    static const struct str breaks[] = {
        STR("\r\n"),     STR("\r"),           STR("\n"),
        STR("\xc2\x85"), STR("\xe2\x80\xa8"), STR("\xe2\x80\xa9"),
    };

    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++)
        if (str_starts(s, breaks[i]))
            return breaks[i].n;
    return 0;
}

static struct str next_line(struct str *rest)
{
    size_t n = 0;

    while (n < rest->n && !break_bytes(str_skip(*rest, n)))
        n++;

    struct str line = str_head(*rest, n);
    *rest = str_skip(*rest, n);
    *rest = str_skip(*rest, break_bytes(*rest));
    return line;
}

static struct str source_line(const struct yaml_doc *doc, size_t number)
{
    struct str rest = doc->source, line = {0};

    for (size_t i = 0; i < number; i++)
        line = next_line(&rest);
    return line;
}

/* One character of a source line; a tab is one column here, so that the caret stands right. */
static void put_char(struct buf *out, struct str *line)
{
    struct str whole = *line;

    utf8_next(line);
    whole.n -= line->n;
    utf8_put_safe(out, str_eq(whole, STR("\t")) ? STR(" ") : whole);
}

/* The line, and a caret under the column. Of a long line, what is around the column. */
static void put_line_and_caret(struct buf *out, struct str line, struct place at)
{
    size_t from = at.column > SHOWN_CHARS * 3 / 4 ? at.column - SHOWN_CHARS / 2 : 1;
    size_t spaces = at.column - from;

    for (size_t column = 1; column < from && line.n; column++)
        utf8_next(&line);
    buf_printf(out, "%5zu | ", at.line);
    if (from > 1) {
        buf_put_str(out, STR("…"));
        spaces++;
    }
    for (size_t shown = 0; shown < SHOWN_CHARS && line.n; shown++)
        put_char(out, &line);
    if (line.n)
        buf_put_str(out, STR("…"));
    buf_printf(out, "\n      | %*s^\n", (int)spaces, "");
}

static void problem_at(struct yaml_doc *doc, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void vproblem_at(struct yaml_doc *doc, struct place at, const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    struct buf *out = &doc->problems;

    doc->problem_count++;
    if (doc->problem_count > YAML_PROBLEMS + 1)
        return;
    utf8_put_safe(out, doc->name);
    if (doc->problem_count > YAML_PROBLEMS) {
        buf_printf(out, ": more is wrong; these are the first %d problems\n", YAML_PROBLEMS);
        return;
    }

    vsnprintf(message, sizeof message, format, args);
    buf_printf(out, ":%zu:%zu: ", at.line, at.column);
    utf8_put_safe(out, str_of(message));
    buf_put_byte(out, '\n');

    struct str line = source_line(doc, at.line);
    if (str_trim(line).n)
        put_line_and_caret(out, line, at);
}

static void problem_at(struct yaml_doc *doc, struct place at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vproblem_at(doc, at, format, args);
    va_end(args);
}

void yaml_problem(struct yaml_doc *doc, const struct yaml_node *at, const char *format, ...)
{
    struct place place = {1, 1};
    va_list args;

    if (at)
        place = (struct place){at->line, at->column};
    va_start(args, format);
    vproblem_at(doc, place, format, args);
    va_end(args);
}

/* What a message repeats of a text. */
static struct str quoted(struct str text)
{
    size_t n = QUOTED_BYTES;

    if (text.n <= n)
        return text;
    while (n && ((uint8_t)text.p[n] & 0xc0) == 0x80)
        n--;
    return str_head(text, n);
}

/* --- from events to a tree -------------------------------------------------------------------- */

/* An open list or map. */
struct frame {
    struct yaml_node *node;
    struct yaml_node **next; /* where its next item or value is hung */
    struct yaml_node *key;   /* a map's key that waits for its value */
    struct str_map seen;     /* a map's keys so far */
};

struct builder {
    struct yaml_doc *doc;
    struct frame frames[YAML_DEPTH];
    unsigned depth;
    unsigned nodes;
    bool ended; /* nothing more is read */
};

static void give_up(struct builder *b)
{
    b->ended = true;
    b->doc->root = NULL;
}

/* The key and its value leave the map: whatever follows is built, but hangs nowhere. */
static void hang_in_map(struct builder *b, struct frame *map, struct yaml_node *node)
{
    struct yaml_node *key = map->key;

    map->key = NULL;
    if (key->kind != YAML_SCALAR) {
        yaml_problem(b->doc, key, "a key has to be a word, not a list or a map");
    } else if (str_map_get(&map->seen, key->text)) {
        yaml_problem(b->doc, key, "'" STR_FMT "' stands twice in this map",
                     STR_ARG(quoted(key->text)));
    } else {
        str_map_put(&map->seen, key->text, key);
        node->key = key;
        *map->next = node;
        map->next = &node->next;
    }
}

static void hang(struct builder *b, struct yaml_node *node)
{
    struct frame *top = b->depth ? &b->frames[b->depth - 1] : NULL;

    if (!top) {
        b->doc->root = node;
    } else if (top->node->kind == YAML_LIST) {
        *top->next = node;
        top->next = &node->next;
    } else if (!top->key) {
        top->key = node;
    } else {
        hang_in_map(b, top, node);
    }
}

static void open_frame(struct builder *b, struct yaml_node *node)
{
    if (b->depth == YAML_DEPTH) {
        yaml_problem(b->doc, node, "nested more than %d levels deep", YAML_DEPTH);
        give_up(b);
        return;
    }
    b->frames[b->depth++] = (struct frame){.node = node, .next = &node->first};
}

static void close_frame(struct builder *b)
{
    str_map_finish(&b->frames[--b->depth].seen);
}

static struct yaml_node *add_node(struct builder *b, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_node *node = arena_alloc(b->doc->arena, sizeof *node);

    node->kind = kind;
    node->line = (unsigned)mark.line + 1;
    node->column = (unsigned)mark.column + 1;
    if (++b->nodes > YAML_NODES) {
        yaml_problem(b->doc, node, "more than %d values in one file", YAML_NODES);
        give_up(b);
        return node;
    }
    hang(b, node);
    return node;
}

static void refuse_decoration(struct builder *b, yaml_mark_t mark, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor)
        problem_at(b->doc, place_of(mark), "anchors (&%.*s) are not used here: write it out",
                   QUOTED_BYTES, (const char *)anchor);
    if (tag)
        problem_at(b->doc, place_of(mark),
                   "tags (!) are not used here; put a text that begins with ! in quotes");
}

/* The word at a place, as its writer saw it: up to a blank or what ends an item. */
static struct str word_at(const struct yaml_doc *doc, struct place at)
{
    struct str line = source_line(doc, at.line);
    size_t n = 0;

    for (size_t column = 1; column < at.column && line.n; column++)
        utf8_next(&line);
    while (n < line.n && !strchr(" \t,[]{}\"'", line.p[n]))
        n++;
    return quoted(str_head(line, n));
}

/* YAML reads *name as an alias, and that is hardly ever what was meant: a pattern of hosts was. */
static void refuse_alias(struct yaml_doc *doc, yaml_mark_t mark)
{
    struct str word = word_at(doc, place_of(mark));
    struct str host = str_skip(word, 1);

    if (host.n > 1 && host.p[0] == '.')
        problem_at(doc, place_of(mark),
                   "a text that begins with * needs quotes: write '" STR_FMT "', or " STR_FMT
                   " without the star",
                   STR_ARG(word), STR_ARG(host));
    else
        problem_at(doc, place_of(mark),
                   "a text that begins with * needs quotes: write '" STR_FMT "'", STR_ARG(word));
}

static void add_scalar(struct builder *b, const yaml_event_t *event)
{
    struct yaml_node *node = add_node(b, YAML_SCALAR, event->start_mark);

    refuse_decoration(b, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
    node->text =
        arena_str(b->doc->arena, str_from(event->data.scalar.value, event->data.scalar.length));
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

static void step(struct builder *b, const yaml_event_t *event, unsigned *documents)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1) {
            problem_at(b->doc, place_of(event->start_mark),
                       "a second document begins here; a file holds one");
            b->ended = true;
        }
        break;
    case YAML_SCALAR_EVENT:
        add_scalar(b, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_decoration(b, event->start_mark, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        open_frame(b, add_node(b, YAML_LIST, event->start_mark));
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_decoration(b, event->start_mark, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
        open_frame(b, add_node(b, YAML_MAP, event->start_mark));
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_frame(b);
        break;
    case YAML_ALIAS_EVENT:
        refuse_alias(b->doc, event->start_mark);
        add_node(b, YAML_SCALAR, event->start_mark);
        break;
    case YAML_STREAM_END_EVENT:
        b->ended = true;
        break;
    default:
        break;
    }
}

/* --- what is not YAML ------------------------------------------------------------------------- */

/*
 * libyaml's complaints in the words of somebody who writes a list of hosts. `where` says which of
 * its two marks helps more: what it was reading (from its beginning), or where that broke off.
 */
static const struct complaint {
    const char *problem, *context; /* as libyaml words them; "" is any */
    enum { AT_BEGINNING, AT_BREAK } where;
    const char *says;
} complaints[] = {
    {"mapping values are not allowed", "", AT_BREAK,
     "a second ': ' on one line: put the text in quotes, or check the indentation"},
    {"could not find expected ':'", "", AT_BEGINNING, "expected 'key: value'; is a colon missing?"},
    {"did not find expected key", "", AT_BREAK,
     "expected a key at the indentation of the keys above"},
    {"did not find expected '-'", "", AT_BREAK,
     "expected '- ' at the indentation of the items above"},
    {"did not find expected ',' or ']'", "", AT_BEGINNING, "this [ is not closed by a ]"},
    {"did not find expected ',' or '}'", "", AT_BEGINNING, "this { is not closed by a }"},
    {"found unexpected end of stream", "quoted scalar", AT_BEGINNING, "this quote is not closed"},
    {"found unexpected document indicator", "quoted scalar", AT_BEGINNING,
     "this quote is not closed"},
    {"cannot start any token", "", AT_BREAK,
     "a tab, @, ` or % cannot stand here: indent with spaces, put a text in quotes"},
    {"block sequence entries are not allowed", "", AT_BREAK,
     "a list's '- ' begins on a line of its own"},
    {"unknown escape character", "", AT_BREAK,
     "\\ begins an escape in double quotes: write \\\\, or use single quotes"},
};

static const struct complaint *complaint_of(const yaml_parser_t *parser)
{
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++) {
        const struct complaint *c = &complaints[i];

        if (strstr(parser->problem, c->problem) &&
            (!*c->context || (parser->context && strstr(parser->context, c->context))))
            return c;
    }
    return NULL;
}

/* Bytes that are not characters: libyaml gives their offset alone. */
static void report_bytes(struct yaml_doc *doc, const yaml_parser_t *parser)
{
    struct str before = str_head(doc->source, parser->problem_offset);
    struct place at = {1, 1};

    while (before.n) {
        size_t n = break_bytes(before);

        if (n) {
            before = str_skip(before, n);
            at = (struct place){at.line + 1, 1};
        } else {
            utf8_next(&before);
            at.column++;
        }
    }
    problem_at(doc, at, "%s",
               strstr(parser->problem, "control characters")
                   ? "a control character cannot stand in YAML"
                   : "these bytes are not UTF-8; save the file as UTF-8");
}

static void report(struct yaml_doc *doc, const yaml_parser_t *parser)
{
    bool has_context = parser->context && parser->error != YAML_READER_ERROR;

    if (!parser->problem) {
        yaml_problem(doc, NULL, "not YAML");
    } else if (parser->error == YAML_READER_ERROR) {
        report_bytes(doc, parser);
    } else if (has_context && strstr(parser->context, "scanning an alias")) {
        refuse_alias(doc, parser->context_mark);
    } else {
        const struct complaint *c = complaint_of(parser);
        bool beginning = c && c->where == AT_BEGINNING && has_context;
        yaml_mark_t mark = beginning ? parser->context_mark : parser->problem_mark;

        problem_at(doc, place_of(mark), "%s", c ? c->says : parser->problem);
    }
}

/* --- a document ------------------------------------------------------------------------------- */

static void build(struct yaml_doc *doc, yaml_parser_t *parser)
{
    struct builder b = {.doc = doc};
    unsigned documents = 0;

    while (!b.ended) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event)) {
            report(doc, parser);
            give_up(&b);
            break;
        }
        step(&b, &event, &documents);
        yaml_event_delete(&event);
    }
    while (b.depth)
        close_frame(&b);
}

/* An empty file reads as nothing, and so does one whose only value is not there. */
static bool is_nothing(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->text.n && !node->quoted;
}

static void parse(struct yaml_doc *doc)
{
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser)) {
        yaml_problem(doc, NULL, "cannot be read: no memory");
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)doc->source.p, doc->source.n);
    build(doc, &parser);
    yaml_parser_delete(&parser);
    if (doc->root && is_nothing(doc->root))
        doc->root = NULL;
}

struct yaml_doc *yaml_parse(struct str name, struct str bytes)
{
    struct yaml_doc *doc = xalloc(sizeof *doc);
    bool utf16 = str_starts(bytes, STR("\xff\xfe")) || str_starts(bytes, STR("\xfe\xff"));

    if (str_starts(bytes, STR("\xef\xbb\xbf"))) /* the mark that Windows editors put first */
        bytes = str_skip(bytes, 3);
    doc->arena = arena_create();
    doc->name = arena_str(doc->arena, name);
    doc->source = arena_str(doc->arena, utf16 ? STR("") : bytes);
    buf_init(&doc->problems, BUF_UNBOUNDED); /* YAML_PROBLEMS of bounded length */
    if (utf16)
        yaml_problem(doc, NULL, "this is UTF-16; save the file as UTF-8");
    else
        parse(doc);
    return doc;
}

void yaml_destroy(struct yaml_doc *doc)
{
    if (!doc)
        return;
    buf_finish(&doc->problems);
    arena_destroy(doc->arena);
    free(doc);
}

/* --- reading the tree ------------------------------------------------------------------------- */

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    struct str name = str_of(key);

    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (struct yaml_node *value = map->first; value; value = value->next)
        if (str_eq(value->key->text, name))
            return value;
    return NULL;
}

size_t yaml_count(const struct yaml_node *list_or_map)
{
    size_t n = 0;

    if (list_or_map)
        for (const struct yaml_node *at = list_or_map->first; at; at = at->next)
            n++;
    return n;
}

static void wrong(struct yaml_doc *doc, const struct yaml_node *node, const char *expected)
{
    if (node->kind != YAML_SCALAR)
        yaml_problem(doc, node, "expected %s, found a %s", expected,
                     node->kind == YAML_LIST ? "list" : "map");
    else if (is_nothing(node))
        yaml_problem(doc, node, "expected %s, found nothing", expected);
    else
        yaml_problem(doc, node, "expected %s, found '" STR_FMT "'", expected,
                     STR_ARG(quoted(node->text)));
}

bool yaml_is(struct yaml_doc *doc, const struct yaml_node *node, enum yaml_kind kind)
{
    static const char *const names[] = {"a text", "a list", "a map (key: value)"};

    if (!node)
        return false;
    if (node->kind == kind && !is_nothing(node))
        return true;
    wrong(doc, node, names[kind]);
    return false;
}

bool yaml_text(struct yaml_doc *doc, const struct yaml_node *node, struct str *ret)
{
    if (!yaml_is(doc, node, YAML_SCALAR))
        return false;
    *ret = node->text;
    return true;
}

bool yaml_u64(struct yaml_doc *doc, const struct yaml_node *node, uint64_t *ret)
{
    if (!node)
        return false;
    if (node->kind == YAML_SCALAR && str_to_u64(node->text, ret))
        return true;
    wrong(doc, node, "a whole number");
    return false;
}

bool yaml_bool(struct yaml_doc *doc, const struct yaml_node *node, bool *ret)
{
    static const struct {
        struct str word;
        bool value;
    } words[] = {
        {STR("yes"), true}, {STR("no"), false}, {STR("true"), true}, {STR("false"), false}};

    if (!node)
        return false;
    for (size_t i = 0; node->kind == YAML_SCALAR && i < sizeof words / sizeof *words; i++)
        if (str_ieq(node->text, words[i].word)) {
            *ret = words[i].value;
            return true;
        }
    wrong(doc, node, "yes or no");
    return false;
}

bool yaml_duration(struct yaml_doc *doc, const struct yaml_node *node, uint64_t *ret_us)
{
    if (!node)
        return false;
    if (node->kind == YAML_SCALAR && duration_parse(node->text, ret_us))
        return true;
    wrong(doc, node, "a duration (90s, 1m30s, 250ms)");
    return false;
}

bool yaml_bytes(struct yaml_doc *doc, const struct yaml_node *node, uint64_t *ret)
{
    if (!node)
        return false;
    if (node->kind == YAML_SCALAR && bytes_parse(node->text, ret))
        return true;
    wrong(doc, node, "a number of bytes (512, 2 kB, 3 MB)");
    return false;
}

/* "a, b, c" */
static struct str listed(struct yaml_doc *doc, const char *const *words)
{
    struct str all = {0};

    for (; *words; words++)
        all = arena_printf(doc->arena, STR_FMT "%s%s", STR_ARG(all), all.n ? ", " : "", *words);
    return all;
}

/* What is wrong with a word that is none of `words`, and what would be right. */
static void not_one_of(struct yaml_doc *doc, const struct yaml_node *word, const char *what,
                       const char *const *words)
{
    const char *near = nearest_word(word->text, words);

    if (near)
        yaml_problem(doc, word, "'" STR_FMT "' is not %s; did you mean '%s'?",
                     STR_ARG(quoted(word->text)), what, near);
    else
        yaml_problem(doc, word, "'" STR_FMT "' is not %s; expected one of: " STR_FMT,
                     STR_ARG(quoted(word->text)), what, STR_ARG(listed(doc, words)));
}

bool yaml_choice(struct yaml_doc *doc, const struct yaml_node *node, const char *const *words,
                 unsigned *ret_index)
{
    if (!yaml_is(doc, node, YAML_SCALAR))
        return false;
    for (unsigned i = 0; words[i]; i++)
        if (str_eq(node->text, str_of(words[i]))) {
            *ret_index = i;
            return true;
        }
    not_one_of(doc, node, "known here", words);
    return false;
}

bool yaml_texts(struct yaml_doc *doc, const struct yaml_node *node, struct yaml_node **ret_first,
                size_t *ret_n)
{
    bool good = true;

    if (!node)
        return false;
    if (node->kind == YAML_SCALAR && !is_nothing(node)) {
        /* A chain of one: the node's own `next` leads to its neighbours. */
        struct yaml_node *alone = arena_alloc(doc->arena, sizeof *alone);

        *alone = *node;
        alone->next = NULL;
        *ret_first = alone;
        *ret_n = 1;
        return true;
    }
    if (node->kind != YAML_LIST) {
        wrong(doc, node, "a text or a list of texts");
        return false;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next)
        good = yaml_is(doc, item, YAML_SCALAR) && good;
    if (!good)
        return false;
    *ret_first = node->first;
    *ret_n = yaml_count(node);
    return true;
}

bool yaml_keys(struct yaml_doc *doc, const struct yaml_node *map, const char *const *keys)
{
    if (!yaml_is(doc, map, YAML_MAP))
        return false;
    for (const struct yaml_node *value = map->first; value; value = value->next) {
        const char *const *key = keys;

        while (*key && !str_eq(value->key->text, str_of(*key)))
            key++;
        if (!*key)
            not_one_of(doc, value->key, "a key here", keys);
    }
    return true;
}

struct yaml_node *yaml_need(struct yaml_doc *doc, const struct yaml_node *map, const char *key)
{
    struct yaml_node *value = yaml_get(map, key);

    if (!value)
        yaml_problem(doc, map, "'%s' is missing here", key);
    return value;
}
