/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * write_types: the program's tables as TypeScript, for the page: kinds and fields of observations,
 * the words of each, the columns of flows. tools/types.py puts it in its place.
 */
#include "base/buf.h"
#include "base/json.h"
#include "explain/failure.h"
#include "explain/strip.h"
#include "obs/obs.h"
#include "serve/flow_table.h"

#include <stdio.h>

/* A text as JSON has it is one as TypeScript has it. */
static void put_text(struct buf *out, const char *text)
{
    struct json j;

    json_init(&j, out, false);
    json_cstr(&j, text);
}

static void put_table(struct buf *out, const char *says, const char *name)
{
    buf_printf(out, "\n/** %s */\nexport const %s = {\n", says, name);
}

static void put_table_end(struct buf *out, const char *name, const char *type)
{
    buf_printf(out, "} as const;\nexport type %s = keyof typeof %s;\n", type, name);
}

static void put_entry(struct buf *out, const char *name, const char *says)
{
    buf_put_str(out, STR("  "));
    put_text(out, name);
    buf_put_str(out, STR(": "));
    put_text(out, says);
    buf_put_str(out, STR(",\n"));
}

/* --- words --- */

/* The first, which is empty, is left out. */
static void put_words(struct buf *out, const char *about, const char *table, const char *type,
                      const struct word_info *words, unsigned n)
{
    put_table(out, about, table);
    for (unsigned i = 1; i < n; i++)
        put_entry(out, words[i].name, words[i].says);
    put_table_end(out, table, type);
}

static void put_failures(struct buf *out)
{
    put_table(out, "How a flow failed.", "failures");
    for (unsigned i = FAILURE_NONE + 1; i < FAILURES; i++)
        put_entry(out, flow_failure_names[i], flow_failure_says((enum flow_failure)i));
    put_table_end(out, "failures", "Failure");
}

static void put_names(struct buf *out, const char *about, const char *list, const char *type,
                      const char *const *names, unsigned n)
{
    buf_printf(out, "\n/** %s */\nexport const %s = [", about, list);
    for (unsigned i = 0; i < n; i++) {
        buf_put_str(out, i ? STR(", ") : STR(""));
        put_text(out, names[i]);
    }
    buf_printf(out, "] as const;\nexport type %s = (typeof %s)[number];\n", type, list);
}

static void put_severities(struct buf *out)
{
    const char *const names[] = {severity_name(SEVERITY_INFO), severity_name(SEVERITY_WARNING),
                                 severity_name(SEVERITY_ERROR)};

    put_names(out, "How bad a finding is, the least first.", "severities", "Severity", names,
              sizeof names / sizeof *names);
}

static void put_confidences(struct buf *out)
{
    const char *const names[] = {confidence_name(CONFIDENCE_NONE),
                                 confidence_name(CONFIDENCE_INFERRED),
                                 confidence_name(CONFIDENCE_SEEN)};

    put_names(out, "How something is known, the least sure first.", "confidences", "Confidence",
              names, sizeof names / sizeof *names);
}

/* --- observations --- */

static const char *const levels[] = {
    [OBS_DETAIL] = "detail", [OBS_INFO] = "info", [OBS_WARN] = "warn"};

static void put_kind(struct buf *out, const struct kind_info *kind)
{
    buf_put_str(out, STR("  "));
    put_text(out, kind->name);
    buf_put_str(out, STR(": { level: "));
    put_text(out, levels[kind->level]);
    buf_put_str(out, STR(", says: "));
    put_text(out, kind->says);
    buf_put_str(out, STR(" },\n"));
}

static void put_kinds(struct buf *out)
{
    put_names(out, "How closely one has to look.", "levels", "Level", levels,
              sizeof levels / sizeof *levels);
    put_table(out, "What was seen: kinds of observation.", "kinds");
    for (unsigned i = 0; i < OBS_KINDS; i++)
        put_kind(out, &obs_kinds[i]);
    put_table_end(out, "kinds", "Kind");
}

static void put_fields(struct buf *out)
{
    put_table(out, "What observations say, beside when and of whom.", "fields");
    for (unsigned i = 0; i < FIELDS; i++)
        put_entry(out, obs_fields[i].name, obs_fields[i].says);
    put_table_end(out, "fields", "Field");
}

static const char *field_type_name(enum field_type type)
{
    static const char *const names[] = {[FIELD_STR] = "string",
                                        [FIELD_NUM] = "number",
                                        [FIELD_HOW] = "How",
                                        [FIELD_WHY] = "Why",
                                        [FIELD_BY] = "By"};

    return names[type];
}

static void put_observation(struct buf *out)
{
    buf_put_str(out,
                STR("\n/** One thing seen, at one moment. What it does not say is not there. */\n"
                    "export interface Observation {\n"
                    "  seq: number;\n"
                    "  at_us: number;\n"
                    "  kind: Kind;\n"
                    "  source?: Source;\n"
                    "  device?: number;\n"
                    "  flow?: number;\n"));
    for (unsigned i = 0; i < FIELDS; i++)
        buf_printf(out, "  %s?: %s;\n", obs_fields[i].name, field_type_name(obs_fields[i].type));
    buf_put_str(out, STR("}\n"));
}

/* --- flows --- */

static const char *column_type(struct str type)
{
    static const struct {
        const char *type, *typescript;
    } all[] = {{"NUM", "number"},
               {"MAYBE", "number | null"},
               {"TEXT", "string"},
               {"HOW", "How | ''"},
               {"WHY", "Why | ''"},
               {"FAILURE", "Failure | ''"},
               {"ENDPOINT", "number | null"},
               {"MOVED", "number[]"}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_eq(str_of(all[i].type), type))
            return all[i].typescript;
    return "unknown";
}

static void put_columns(struct buf *out)
{
    buf_put_str(out, STR("\n/** A flow, as the columns of rows say it. */\n"
                         "export interface Flow {\n"));
    for (const struct flow_column *c = flow_columns; c->name; c++)
        buf_printf(out, "  /** %s */\n  %s: %s;\n", c->says, c->name, column_type(str_of(c->type)));
    buf_put_str(out, STR("}\n"));
    buf_put_str(out, STR("\n/** The columns of rows, in their order. */\n"
                         "export const columns = [\n"));
    for (const struct flow_column *c = flow_columns; c->name; c++)
        buf_printf(out, "  \"%s\",\n", c->name);
    buf_put_str(out, STR("] as const satisfies readonly (keyof Flow)[];\n"
                         "export type Column = (typeof columns)[number];\n"));
}

int main(void)
{
    struct buf out;

    buf_init(&out, BUF_UNBOUNDED);
    buf_put_str(&out, STR("// SPDX-License-Identifier: GPL-3.0-or-later\n"
                          "// Written from the program's tables by `ninja -C build types`.\n"));
    put_words(&out, "How a flow came to us.", "hows", "How", obs_hows, HOW_COUNT);
    put_words(&out, "Why a flow was closed.", "whys", "Why", obs_whys, WHY_COUNT);
    put_words(&out, "Who sent or did it.", "bys", "By", obs_bys, BY_COUNT);
    put_words(&out, "What saw it.", "sources", "Source", obs_sources, SOURCE_COUNT);
    put_failures(&out);
    put_severities(&out);
    put_confidences(&out);
    put_kinds(&out);
    put_fields(&out);
    put_observation(&out);
    put_columns(&out);

    bool ok = fwrite(out.p, 1, out.n, stdout) == out.n;
    buf_finish(&out);
    return ok ? 0 : 1;
}
