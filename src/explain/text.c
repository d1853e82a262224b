/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/text.h"

static struct text_piece *add_piece(struct arena *arena, struct text_piece ***end)
{
    struct text_piece *piece = arena_alloc(arena, sizeof *piece);

    **end = piece;
    *end = &piece->next;
    return piece;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_' || s.p[i] == '-'))
            return false;
    return s.n > 0;
}

static size_t brace(struct str s)
{
    size_t open = str_find(s, '{'), close = str_find(s, '}');

    return open < close ? open : close;
}

const char *text_parse(struct arena *arena, struct str source, struct text *ret_text)
{
    struct text_piece **end = &ret_text->pieces;
    struct str rest = arena_str(arena, source);

    *ret_text = (struct text){0};
    while (rest.n) {
        size_t n = brace(rest);

        if (n)
            add_piece(arena, &end)->literal = str_head(rest, n);
        rest = str_skip(rest, n);
        if (!rest.n)
            break;
        if (rest.n > 1 && rest.p[1] == rest.p[0]) {
            add_piece(arena, &end)->literal = str_head(rest, 1);
            rest = str_skip(rest, 2);
            continue;
        }
        if (rest.p[0] == '}')
            return "a '}' without its '{'; write }} for the brace itself";
        if (str_find(rest, '}') == rest.n)
            return "a '{' without its '}'; write {{ for the brace itself";

        struct str argument = str_skip(str_cut(&rest, '}'), 1);
        struct str name = str_cut(&argument, ':');
        if (!is_name(name))
            return "between braces stands the name of a value, as in {host}";

        struct text_piece *piece = add_piece(arena, &end);
        piece->name = name;
        piece->argument = argument;
    }
    return NULL;
}

bool text_put(const struct text *text, const struct text_values *values, struct buf *out)
{
    size_t began = out->n;

    for (const struct text_piece *p = text->pieces; p; p = p->next) {
        if (!p->name.n) {
            buf_put_str(out, p->literal);
        } else if (!values->put(values->ctx, p->name, p->argument, out)) {
            out->n = began;
            return false;
        }
    }
    return true;
}

void texts_put(const struct text *first, const struct text_values *values, struct buf *out)
{
    size_t began = out->n;

    for (const struct text *t = first; t; t = t->next) {
        size_t so_far = out->n;

        if (so_far > began)
            buf_put_byte(out, ' ');
        if (!text_put(t, values, out))
            out->n = so_far;
    }
}

/* A brace is doubled, as text_parse has it. */
static void put_literal(struct str literal, struct buf *out)
{
    for (size_t i = 0; i < literal.n; i++) {
        if (literal.p[i] == '{' || literal.p[i] == '}')
            buf_put_byte(out, (uint8_t)literal.p[i]);
        buf_put_byte(out, (uint8_t)literal.p[i]);
    }
}

static void put_place(const struct text_piece *piece, struct buf *out)
{
    buf_put_byte(out, '{');
    buf_put_str(out, piece->name);
    if (piece->argument.n)
        buf_put_byte(out, ':');
    buf_put_str(out, piece->argument);
    buf_put_byte(out, '}');
}

void texts_put_source(const struct text *first, struct buf *out)
{
    for (const struct text *t = first; t; t = t->next) {
        if (t != first)
            buf_put_byte(out, ' ');
        for (const struct text_piece *piece = t->pieces; piece; piece = piece->next)
            if (piece->name.n)
                put_place(piece, out);
            else
                put_literal(piece->literal, out);
    }
}
