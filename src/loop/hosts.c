/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/hosts.h"

#include "base/arena.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "loop/watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { READ_BYTES = 64 << 10 };

/* One address of a name; the next one of the same name stood further down in the file. */
struct entry {
    struct entry *next;
    enum family family;
    union {
        struct in6_addr v6;
        struct in_addr v4;
    } address;
};

struct hosts {
    struct loop *loop;
    char *path;
    struct watched_file file;
    struct arena *arena;  /* the entries */
    struct str_map names; /* in lower case, each to its first entry */
    size_t count;         /* of entries */
};

/* Reading the file */

static void add_entry(struct hosts *h, struct str name, const struct entry *entry)
{
    struct entry *kept = arena_alloc(h->arena, sizeof *kept);
    struct entry *last = str_map_get(&h->names, name);
    size_t before = 0;

    *kept = *entry;
    h->count++;
    if (!last) {
        str_map_put(&h->names, name, kept);
        return;
    }
    for (; last->next; last = last->next)
        before++;
    if (before < FAMILY_COUNT * ADDRESSES_MAX) /* more are never asked for */
        last->next = kept;
}

static bool parse_address(struct str text, struct entry *ret_entry)
{
    struct addresses one = {0};
    char literal[INET6_ADDRSTRLEN];

    if (text.n >= sizeof literal || memchr(text.p, '\0', text.n))
        return false;
    snprintf(literal, sizeof literal, STR_FMT, STR_ARG(text));
    if (!addresses_add_literal(&one, literal))
        return false;
    *ret_entry = (struct entry){.family = one.count[FAMILY_V6] ? FAMILY_V6 : FAMILY_V4};
    if (ret_entry->family == FAMILY_V6)
        ret_entry->address.v6 = one.v6[0];
    else
        ret_entry->address.v4 = one.v4[0];
    return true;
}

/* An address, its names, and perhaps a comment. False: there is no room for more. */
static bool read_line(struct hosts *h, struct str line)
{
    struct str rest = str_head(line, str_find(line, '#')), word = str_word(&rest);
    char text[HOST_MAX];
    struct entry entry;

    if (!word.n || !parse_address(word, &entry))
        return true;
    while ((word = str_word(&rest)).n) {
        struct str name = host_lower(word, text);

        if (h->count == HOSTS_ADDRESSES_MAX)
            return false;
        if (name.n)
            add_entry(h, name, &entry);
    }
    return true;
}

static void read_lines(struct hosts *h, struct str text)
{
    struct str line;

    while (str_line(&text, &line))
        if (!read_line(h, line)) {
            log_warn("%s: names beyond the first %d are left out", h->path, HOSTS_ADDRESSES_MAX);
            return;
        }
}

static bool read_all(int fd, struct buf *out)
{
    ssize_t n = 1;

    while (n > 0 && !out->full) {
        char part[READ_BYTES];

        n = read(fd, part, sizeof part);
        if (n > 0)
            buf_put(out, part, (size_t)n);
    }
    return n >= 0;
}

static void read_file(struct hosts *h, int fd)
{
    struct str whole;
    struct buf text;

    buf_init(&text, HOSTS_BYTES_MAX);
    if (!read_all(fd, &text))
        log_warn("%s: cannot read: %s", h->path, strerror(errno));
    whole = buf_str(&text);
    if (text.full) {
        log_warn("%s: what is beyond %d MiB is left out", h->path, HOSTS_BYTES_MAX >> 20);
        whole = str_head(whole, str_rfind(whole, '\n')); /* without half a line */
    }
    read_lines(h, whole);
    buf_finish(&text);
}

static void forget(struct hosts *h)
{
    str_map_finish(&h->names);
    h->names = (struct str_map){0};
    arena_destroy(h->arena);
    h->arena = arena_create();
    h->count = 0;
}

/* A pipe in its place shall hold nobody up. */
static void read_again(struct hosts *h)
{
    AUTO(auto_close) int fd = open(h->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat s;

    forget(h);
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode))
        read_file(h, fd);
}

/* Making, asking, ending */

struct hosts *hosts_create(struct loop *loop, const char *path)
{
    struct hosts *h = xalloc(sizeof *h);

    *h = (struct hosts){.loop = loop, .path = xstrdup(path), .arena = arena_create()};
    h->file.path = h->path;
    return h;
}

void hosts_destroy(struct hosts *h)
{
    if (!h)
        return;
    str_map_finish(&h->names);
    arena_destroy(h->arena);
    free(h->path);
    free(h);
}

static bool is_localhost(struct str name)
{
    return str_eq(name, STR("localhost")) || str_ends(name, STR(".localhost"));
}

bool hosts_find(struct hosts *h, struct str name, struct addresses *ret_addresses)
{
    char text[HOST_MAX];
    const struct entry *entry;

    name = host_lower(name, text);
    if (is_localhost(name)) {
        addresses_add_literal(ret_addresses, "::1");
        addresses_add_literal(ret_addresses, "127.0.0.1");
        return true;
    }
    if (watched_file_changed(&h->file, loop_now_us(h->loop)))
        read_again(h);
    entry = str_map_get(&h->names, name);
    for (const struct entry *e = entry; e; e = e->next)
        addresses_add(ret_addresses, e->family, &e->address);
    return entry;
}
