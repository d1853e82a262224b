/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip version: which version this is. */
#include "cmd/cmd_list.h"

#include "base/json.h"
#include "cmd/output.h"

struct version_options {
    unsigned format;
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

static const struct opt options_table[] = {
    {OPT_CHOICE, 'f', "format", "FORMAT", "Write text (the default) or json.",
     offsetof(struct version_options, format), formats},
    {0},
};

static void put_json(struct buf *out)
{
    struct json j;

    json_init(&j, out, true);
    json_object(&j);
    json_key(&j, "name");
    json_cstr(&j, "flightstrip");
    json_key(&j, "version");
    json_cstr(&j, FLIGHTSTRIP_VERSION);
    json_end(&j);
    buf_put_byte(out, '\n');
}

static int run(const void *options, char **operands)
{
    const struct version_options *o = options;
    struct buf out;

    (void)operands;
    buf_init(&out, BUF_UNBOUNDED);
    if (o->format == FORMAT_JSON)
        put_json(&out);
    else
        buf_put_str(&out, STR("flightstrip " FLIGHTSTRIP_VERSION "\n"));

    int status = output_put(buf_str(&out));
    buf_finish(&out);
    return status;
}

const struct cmd cmd_version = {
    .name = "version",
    .summary = "say which version this is",
    .help = "Says which version of flightstrip this is.",
    .options = options_table,
    .options_size = sizeof(struct version_options),
    .run = run,
};
