/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/scenarios.h"

#include "base/auto.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 4 << 20 };

struct str scenarios_id(size_t i)
{
    struct str name = str_of(scenario_files[i].name);

    return str_head(name, name.n ? name.n - STR(".yaml").n : 0);
}

static const struct embedded *shipped(struct str id)
{
    for (size_t i = 0; scenario_files[i].name; i++)
        if (str_eq(scenarios_id(i), id))
            return &scenario_files[i];
    return NULL;
}

static bool find(void *ctx, struct str id, struct str *ret_name, struct str *ret_bytes)
{
    const struct embedded *f = shipped(id);

    (void)ctx;
    if (!f)
        return false;
    *ret_name = str_of(f->name);
    *ret_bytes = embedded_str(f);
    return true;
}

static int read_file(const char *path, struct buf *bytes, struct err *err)
{
    AUTO(auto_fclose) FILE *file = fopen(path, "rbe");
    char piece[16 << 10];
    size_t n;

    if (!file)
        return err_set(err, -errno, "%s: %s", path, strerror(errno));
    while ((n = fread(piece, 1, sizeof piece, file)))
        buf_put(bytes, piece, n);
    if (ferror(file))
        return err_set(err, -EIO, "%s: cannot be read", path);
    if (bytes->full)
        return err_set(err, -EFBIG, "%s: larger than a scenario may be (4 MiB)", path);
    return 0;
}

static int load(struct str name, struct str bytes, struct scenario **ret_scenario,
                struct buf *problems, struct err *err)
{
    const struct scenario_finder finder = {.find = find};

    if (scenario_load(name, bytes, &finder, ret_scenario, problems))
        return err_set(err, -EINVAL, STR_FMT ": this is no scenario", STR_ARG(name));
    return 0;
}

static int no_such(const char *name, struct err *err)
{
    enum { SHOWN = 64 };
    char words[SHOWN][64];
    const char *list[SHOWN + 1] = {NULL};

    for (size_t i = 0; i < SHOWN && scenarios_id(i).n; i++) {
        snprintf(words[i], sizeof words[i], STR_FMT, STR_ARG(scenarios_id(i)));
        list[i] = words[i];
    }

    const char *near = nearest_word(str_of(name), list);
    if (near)
        return err_set(err, -ENOENT, "there is no scenario '%s'; did you mean '%s'?", name, near);
    return err_set(err, -ENOENT,
                   "there is no scenario '%s'; flightstrip rehearse --list shows them", name);
}

int scenarios_load(const char *name, struct scenario **ret_scenario, struct buf *problems,
                   struct err *err)
{
    const struct embedded *f = shipped(str_of(name));
    struct buf bytes;
    int r;

    if (f)
        return load(str_of(f->name), embedded_str(f), ret_scenario, problems, err);
    if (!strpbrk(name, "/."))
        return no_such(name, err);
    buf_init(&bytes, FILE_MAX);
    r = read_file(name, &bytes, err);
    if (r == 0)
        r = load(str_of(name), buf_str(&bytes), ret_scenario, problems, err);
    buf_finish(&bytes);
    return r;
}
