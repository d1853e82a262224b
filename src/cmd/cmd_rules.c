/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip rules: which there are, whether a file of them is right, and when one fires. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "base/map.h"
#include "base/nearest.h"
#include "base/timefmt.h"
#include "base/xalloc.h"
#include "cmd/explained.h"
#include "cmd/knowledge_files.h"
#include "cmd/output.h"
#include "explain/shipped.h"
#include "report/parts.h"
#include "report/wrap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rules_options {
    struct texts knowledge;
};

static const struct opt options_table[] = {
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Add the rules and endpoints in this folder; may be given again.",
     offsetof(struct rules_options, knowledge), NULL},
    {0},
};

static int trouble(const struct err *err)
{
    log_error("%s", err->text);
    return EXIT_TROUBLE;
}

/* --- list --- */

static void put_rule(struct buf *out, const struct look *look, const struct rule_info *rule)
{
    enum { ID_COLUMN = 16, TITLE_COLUMN = 46 };

    buf_printf(out, "%5u ", rule->line);
    put_painted(out, look, PAINT_DIM, rule->kind);
    put_padding(out, 6 + text_columns(rule->kind), ID_COLUMN);
    put_painted(out, look, PAINT_BOLD, rule->id);
    put_padding(out, ID_COLUMN + text_columns(rule->id), TITLE_COLUMN - 1);
    buf_put_byte(out, ' ');
    put_wrapped(out, rule->title, TITLE_COLUMN, TITLE_COLUMN, look->width);
    buf_put_byte(out, '\n');
}

static void put_file(struct buf *out, const struct look *look, struct str file)
{
    if (out->n)
        buf_put_byte(out, '\n');
    put_painted(out, look, PAINT_TIME, file);
    buf_put_byte(out, '\n');
}

static int list(const struct knowledge *knowledge)
{
    struct look look = look_of(STDOUT_FILENO);
    struct str file = {0};
    struct buf out;

    buf_init(&out, BUF_UNBOUNDED);
    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++) {
        struct rule_info rule = knowledge_rule(knowledge, i);

        if (!str_eq(rule.file, file))
            put_file(&out, &look, rule.file);
        file = rule.file;
        put_rule(&out, &look, &rule);
    }

    int status = output_put(buf_str(&out));
    buf_finish(&out);
    return status;
}

/* --- check --- */

static int add_file(struct knowledge *knowledge, const char *path, struct buf *problems,
                    unsigned *count, struct err *err)
{
    struct buf bytes;
    int r = knowledge_read_file(path, &bytes, err);

    if (r)
        return r;
    *count += knowledge_add(knowledge, str_of(path), buf_str(&bytes), problems);
    buf_finish(&bytes);
    return 0;
}

/* The files are checked with what is built in, since their rules may refer to it. */
static int check(char **paths)
{
    struct knowledge *knowledge = knowledge_create();
    struct buf problems;
    unsigned count = 0;
    struct err err;
    int r = 0, status;

    buf_init(&problems, BUF_UNBOUNDED);
    for (const struct embedded *f = knowledge_files; f->name; f++)
        count += knowledge_add(knowledge, str_of(f->name), embedded_str(f), &problems);
    for (size_t i = 0; paths[i] && !r; i++)
        r = add_file(knowledge, paths[i], &problems, &count, &err);
    if (!r)
        count += knowledge_build(knowledge, &problems);

    status = output_put(buf_str(&problems));
    if (r)
        status = trouble(&err);
    else if (status == EXIT_OK && count)
        status = EXIT_FOUND;
    buf_finish(&problems);
    knowledge_destroy(knowledge);
    return status;
}

/* --- try --- */

/* What the rule said of one device, and the observations that are to be shown for it. */
struct trial {
    struct str id;
    struct map wanted; /* seq to trial itself: it is to be shown */
    struct buf out;
    struct look look;
    unsigned fired;
};

static bool is_rule(const struct knowledge *knowledge, struct str id)
{
    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++)
        if (str_eq(knowledge_rule(knowledge, i).id, id))
            return true;
    return false;
}

static int no_such_rule(const struct knowledge *knowledge, const char *id)
{
    size_t n = knowledge_rule_count(knowledge);
    const char **ids = xalloc((n + 1) * sizeof *ids);
    const char *near;

    for (size_t i = 0; i < n; i++)
        ids[i] = str_dup(knowledge_rule(knowledge, i).id);
    near = nearest_word(str_of(id), ids);
    if (near)
        log_error("there is no rule '%s'; did you mean '%s'?", id, near);
    else
        log_error("there is no rule '%s'; flightstrip rules list shows them", id);
    for (size_t i = 0; i < n; i++)
        free((char *)ids[i]);
    free(ids);
    return EXIT_TROUBLE;
}

static void want(struct trial *t, const struct evidence *e)
{
    t->fired++;
    for (unsigned i = 0; i < e->n; i++)
        map_put(&t->wanted, e->seqs[i], t);
}

static void put_phase(struct trial *t, const struct strip_phase *p)
{
    t->fired++;
    put_at(&t->out, &t->look, p->start_us);
    buf_put_str(&t->out, p->title);
    buf_put_str(&t->out, STR(", until "));
    put_strip_time(&t->out, p->end_us);
    buf_put_byte(&t->out, '\n');
}

static void try_device(struct trial *t, const struct strip *s)
{
    put_painted(&t->out, &t->look, PAINT_BOLD, s->name);
    buf_put_byte(&t->out, '\n');
    for (size_t i = 0; i < s->moment_count; i++)
        if (str_eq(s->moments[i].id, t->id)) {
            put_moment_text(&t->out, &t->look, (struct str){0}, &s->moments[i]);
            want(t, &s->moments[i].evidence);
        }
    for (size_t i = 0; i < s->finding_count; i++)
        if (str_eq(s->findings[i].id, t->id)) {
            put_finding_text(&t->out, &t->look, (struct str){0}, &s->findings[i]);
            want(t, &s->findings[i].evidence);
        }
    for (size_t i = 0; i < s->phase_count; i++)
        if (str_eq(s->phases[i].id, t->id))
            put_phase(t, &s->phases[i]);
    if (str_eq(s->scenario, t->id)) {
        t->fired++;
        buf_printf(&t->out, "  is the scenario: " STR_FMT "\n", STR_ARG(s->scenario_title));
    }
    if (str_eq(s->outcome, t->id)) {
        t->fired++;
        buf_printf(&t->out, "  is the outcome: " STR_FMT "\n", STR_ARG(s->outcome_why));
    }
}

static void put_field(struct buf *out, const struct obs *o, enum obs_field field)
{
    const struct field_info *info = &obs_fields[field];
    unsigned count;
    const struct word_info *words = field_words(info->type, &count);

    if (info->type == FIELD_STR) {
        if (!obs_str(o, field).n)
            return;
        buf_printf(out, " %s ", info->name);
        buf_put_str(out, obs_str(o, field));
    } else if (obs_num(o, field) && words) {
        buf_printf(out, " %s %s", info->name, words[obs_num(o, field)].name);
    } else if (obs_num(o, field)) {
        buf_printf(out, " %s %" PRIu64, info->name, obs_num(o, field));
    }
}

/* One observation as a line: "[17] flow-opened host login.live.com port 443". */
static void put_observation(void *ctx, const struct obs *o)
{
    struct trial *t = ctx;
    const struct kind_info *kind = &obs_kinds[o->kind];
    struct buf line;

    if (!map_get(&t->wanted, o->seq))
        return;
    buf_init(&line, BUF_UNBOUNDED);
    buf_printf(&line, "[%" PRIu64 "] %s", o->seq, kind->name);
    if (o->flow)
        buf_printf(&line, " of flow %" PRIu64 ":", o->flow);
    for (unsigned i = 0; i < kind->field_count; i++)
        put_field(&line, o, kind->fields[i]);

    unsigned column = put_at(&t->out, &t->look, o->at_us);
    put_wrapped(&t->out, buf_str(&line), column, column + 2, t->look.width);
    buf_put_byte(&t->out, '\n');
    buf_finish(&line);
}

static int try_input(struct trial *t, struct explained *e, struct err *err)
{
    const struct report *r = explained_report(e);

    for (size_t i = 0; i < r->device_count; i++)
        try_device(t, r->devices[i].strip);
    if (!t->fired) {
        buf_printf(&t->out, "  " STR_FMT " did not fire.\n", STR_ARG(t->id));
        return 0;
    }
    if (!t->wanted.n)
        return 0;
    buf_put_str(&t->out, STR("\nIt rests on\n"));
    return input_replay(explained_input(e), put_observation, t, err);
}

static int try_rule(const struct knowledge *knowledge, const char *id, const char *path)
{
    struct trial t = {.id = str_of(id), .look = look_of(STDOUT_FILENO)};
    struct explained *e;
    struct err err;
    int status;

    if (!is_rule(knowledge, t.id))
        return no_such_rule(knowledge, id);
    if (explained_open(path, knowledge, NULL, false, &e, &err))
        return trouble(&err);
    buf_init(&t.out, BUF_UNBOUNDED);
    if (try_input(&t, e, &err))
        status = trouble(&err);
    else
        status = output_put(buf_str(&t.out));
    if (status == EXIT_OK && !t.fired)
        status = EXIT_FOUND;
    buf_finish(&t.out);
    map_finish(&t.wanted);
    explained_close(e);
    return status;
}

/* --- which of them --- */

static int with_knowledge(const struct rules_options *o, char **operands)
{
    struct knowledge *knowledge;
    struct err err;
    int status;

    if (knowledge_load(o->knowledge.at, o->knowledge.n, &knowledge, &err))
        return trouble(&err);
    status = operands[0] && operands[1] ? try_rule(knowledge, operands[1], operands[2])
                                        : list(knowledge);
    knowledge_destroy(knowledge);
    return status;
}

static int run(const void *options, char **operands)
{
    size_t n = 0;

    while (operands[n])
        n++;
    if (n == 0 || (n == 1 && strcmp(operands[0], "list") == 0))
        return with_knowledge(options, operands);
    if (n >= 2 && strcmp(operands[0], "check") == 0)
        return check(operands + 1);
    if (n == 3 && strcmp(operands[0], "try") == 0)
        return with_knowledge(options, operands);
    log_error("rules: what? list, check FILE… or try RULE INPUT");
    return EXIT_TROUBLE;
}

const struct cmd cmd_rules = {
    .name = "rules",
    .operands = "[list | check FILE… | try RULE INPUT]",
    .operands_max = OPERANDS_ANY,
    .summary = "list the rules, check files of them, or try one",
    .help =
        "With list, or nothing, shows every rule: the file and line where it stands, its kind, id "
        "and title.\n"
        "\n"
        "check reads FILEs of rules, endpoints or scenarios together with what is built in, and "
        "says what is wrong with file, line and column. The exit status is 1 when something is.\n"
        "\n"
        "try explains INPUT, which is what explain takes, and shows when RULE fired, what it said "
        "and the observations that it rests on. The exit status is 1 when it did not fire.",
    .options = options_table,
    .options_size = sizeof(struct rules_options),
    .run = run,
};
