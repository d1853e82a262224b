/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A password that was right is remembered as its HMAC under a key that each checker draws, one for
 * each user; so nothing has to be thrown out to make room, and what is in memory is of no use
 * elsewhere. A user who does not exist costs a hash too, of the sort and with the rounds of some
 * user who does: who exists is not to be told by time.
 */
#include "sources/proxy/credentials.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/map.h"
#include "base/xalloc.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { MAC_BYTES = 32, KEY_BYTES = 32, BASIC_BYTES_MAX = 1024 };

#define SECOND_US UINT64_C(1000000)
#define HASH_US (SECOND_US / CREDENTIALS_HASHES_A_SECOND)

struct user {
    struct str name;
    size_t index;
    const char *hash;
};

struct credentials {
    atomic_uint holders;
    struct arena *arena;
    struct str_map by_name; /* of struct user */
    struct user *users;     /* by their index */
};

/* --- the table -------------------------------------------------------------------------------- */

static bool is_salt_or_digest(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '/')
            return false;
    }
    return true;
}

/* crypt(5): "$6$rounds=N$SALT$DIGEST", where the rounds may be missing and are then 5,000. */
static const char *hash_complaint(struct str hash)
{
    static const struct str rounds_is = STR("rounds=");
    bool is_sha256 = str_starts(hash, STR("$5$"));
    struct str rest = str_skip(hash, 3);
    uint64_t rounds;

    if (!is_sha256 && !str_starts(hash, STR("$6$")))
        return "expected a hash as `openssl passwd -6` writes it: $6$SALT$DIGEST";
    if (str_starts(rest, rounds_is)) {
        struct str number = str_skip(str_cut(&rest, '$'), rounds_is.n);

        if (!str_to_u64(number, &rounds) || rounds < 1000 || rounds > CREDENTIALS_ROUNDS_MAX)
            return "expected from 1,000 to 10,000 rounds: write the hash anew with `openssl passwd "
                   "-6`";
    }

    struct str salt = str_cut(&rest, '$');
    if (!salt.n || salt.n > 16 || !is_salt_or_digest(salt) || !is_salt_or_digest(rest) ||
        rest.n != (is_sha256 ? 43 : 86))
        return "this hash is not whole: write it anew with `openssl passwd -6`";
    return NULL;
}

static const char *take_line(struct credentials *c, struct str line)
{
    struct str user = str_cut(&line, ':');
    const char *complaint = hash_complaint(line);
    struct user *own;

    if (!user.n || complaint)
        return !user.n ? "expected USER:HASH" : complaint;
    if (str_map_get(&c->by_name, user))
        return "this user stands here twice";
    if (c->by_name.n == CREDENTIALS_MAX)
        return "there are 4,096 users already";
    own = &c->users[c->by_name.n];
    *own = (struct user){.name = arena_str(c->arena, user),
                         .index = c->by_name.n,
                         .hash = arena_str(c->arena, line).p};
    str_map_put(&c->by_name, own->name, own);
    return NULL;
}

/* Empty lines and those that begin with # say nothing. */
static int take_lines(struct credentials *c, const char *name, struct str bytes, struct err *err)
{
    struct str line;

    for (unsigned n = 1; str_line(&bytes, &line); n++) {
        const char *complaint;

        line = str_trim(line);
        if (!line.n || line.p[0] == '#')
            continue;
        complaint = take_line(c, line);
        if (complaint)
            return err_set(err, -EINVAL, "%s:%u: %s", name, n, complaint);
    }
    return c->by_name.n ? 0 : err_set(err, -EINVAL, "%s: there is no user in it", name);
}

int credentials_parse(const char *name, struct str bytes, struct credentials **ret_credentials,
                      struct err *err)
{
    struct credentials *c = xalloc(sizeof *c);
    int r;

    atomic_init(&c->holders, 1);
    c->arena = arena_create();
    c->users = arena_array(c->arena, CREDENTIALS_MAX, sizeof *c->users);
    r = take_lines(c, name, bytes, err);
    if (r < 0) {
        credentials_unref(c);
        return r;
    }
    *ret_credentials = c;
    return 0;
}

int credentials_open(const char *path, struct credentials **ret_credentials, struct err *err)
{
    struct buf bytes;
    int r;

    buf_init(&bytes, CREDENTIALS_FILE_BYTES);
    r = file_read(path, &bytes, NULL, err);
    if (r == 0)
        r = credentials_parse(path, buf_str(&bytes), ret_credentials, err);
    buf_finish(&bytes);
    return r;
}

/* For a name that is no user's it is the same one each time, as it would be for a user's. */
const char *credentials_setting(const struct credentials *c, struct str name)
{
    const struct user *user = str_map_get(&c->by_name, name);

    return user ? user->hash : c->users[str_hash(name) % c->by_name.n].hash;
}

struct credentials *credentials_ref(struct credentials *c)
{
    atomic_fetch_add_explicit(&c->holders, 1, memory_order_relaxed);
    return c;
}

void credentials_unref(struct credentials *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->holders, 1, memory_order_acq_rel) > 1)
        return;
    str_map_finish(&c->by_name);
    arena_destroy(c->arena);
    free(c);
}

/* --- checking --------------------------------------------------------------------------------- */

/* What was right for one user. */
struct verified {
    bool is_set;
    uint8_t mac[MAC_BYTES];
};

struct checker {
    struct credentials *credentials;
    uint8_t key[KEY_BYTES];
    struct verified *verified; /* by the user's index */
    struct crypt_data crypt;
    /* When all hashes that were computed are paid for, at one each HASH_US. */
    uint64_t paid_us;
};

struct checker *checker_create(struct credentials *c)
{
    struct checker *k = xalloc(sizeof *k);

    k->credentials = credentials_ref(c);
    k->verified = xalloc(c->by_name.n * sizeof *k->verified);
    for (size_t n = 0; n < sizeof k->key;) {
        ssize_t got = getrandom(k->key + n, sizeof k->key - n, 0);
        n += got > 0 ? (size_t)got : 0;
    }
    return k;
}

/* What was verified of a user whose hash is still the same. */
static struct verified *carry_over(const struct checker *k, const struct credentials *c)
{
    struct verified *verified = xalloc(c->by_name.n * sizeof *verified);

    for (size_t i = 0; i < c->by_name.n; i++) {
        const struct user *before = str_map_get(&k->credentials->by_name, c->users[i].name);

        if (before && strcmp(before->hash, c->users[i].hash) == 0)
            verified[i] = k->verified[before->index];
    }
    return verified;
}

void checker_use(struct checker *k, struct credentials *c)
{
    struct verified *verified = carry_over(k, c);

    free(k->verified);
    k->verified = verified;
    credentials_ref(c);
    credentials_unref(k->credentials);
    k->credentials = c;
}

void checker_destroy(struct checker *k)
{
    if (!k)
        return;
    credentials_unref(k->credentials);
    explicit_bzero(k->key, sizeof k->key);
    explicit_bzero(&k->crypt, sizeof k->crypt);
    free(k->verified);
    free(k);
}

static bool is_verified(const struct checker *k, const struct user *user,
                        const uint8_t mac[MAC_BYTES])
{
    const struct verified *v = &k->verified[user->index];

    return v->is_set && CRYPTO_memcmp(v->mac, mac, MAC_BYTES) == 0;
}

/* False: as many hashes as may be were computed just now. */
static bool pay_for_hash(struct checker *k, uint64_t now_us)
{
    uint64_t paid_us = k->paid_us > now_us ? k->paid_us : now_us;

    if (paid_us + HASH_US > now_us + SECOND_US)
        return false;
    k->paid_us = paid_us + HASH_US;
    return true;
}

/*
 * crypt wants a terminated text, so a password with a zero in it would be cut: none has one. It is
 * not crypt_r, as sanitizers have one of their own, with which libcrypt is not linked any more.
 */
static bool fits_hash(struct checker *k, const char *setting, struct str password)
{
    char text[CREDENTIALS_PASSWORD_BYTES_MAX + 1];
    const char *made;
    bool same;

    memcpy(text, password.p, password.n);
    text[password.n] = '\0';
    made = crypt_rn(text, setting, &k->crypt, sizeof k->crypt);
    same = made && strlen(made) == strlen(setting) &&
           CRYPTO_memcmp(made, setting, strlen(setting)) == 0;
    explicit_bzero(text, sizeof text);
    explicit_bzero(&k->crypt, sizeof k->crypt);
    return same;
}

static bool can_be_password(struct str password)
{
    return password.n && password.n <= CREDENTIALS_PASSWORD_BYTES_MAX &&
           !memchr(password.p, '\0', password.n);
}

enum credentials_verdict checker_password(struct checker *k, struct str user, struct str password,
                                          uint64_t now_us)
{
    const struct user *known = str_map_get(&k->credentials->by_name, user);
    uint8_t mac[MAC_BYTES];

    if (!can_be_password(password))
        return CREDENTIALS_WRONG;
    HMAC(EVP_sha256(), k->key, sizeof k->key, (const void *)password.p, password.n, mac, NULL);
    if (known && is_verified(k, known, mac))
        return CREDENTIALS_OK;
    if (!pay_for_hash(k, now_us))
        return CREDENTIALS_LATER;
    if (!fits_hash(k, credentials_setting(k->credentials, user), password) || !known)
        return CREDENTIALS_WRONG;
    k->verified[known->index].is_set = true;
    memcpy(k->verified[known->index].mac, mac, sizeof mac);
    return CREDENTIALS_OK;
}

/* "Basic", in any case, and base64 of "USER:PASSWORD". */
static bool read_basic(struct str value, struct buf *out)
{
    struct str scheme = str_word(&value);

    return str_ieq(scheme, STR("Basic")) && value.n <= BASIC_BYTES_MAX &&
           base64_read(str_trim(value), out);
}

enum credentials_verdict checker_basic(struct checker *k, struct str value, uint64_t now_us)
{
    enum credentials_verdict verdict = CREDENTIALS_WRONG;
    struct buf bytes;

    buf_init(&bytes, BASIC_BYTES_MAX);
    if (read_basic(value, &bytes)) {
        struct str password = buf_str(&bytes);
        bool has_password = str_find(password, ':') < password.n;
        struct str user = str_cut(&password, ':');

        if (has_password)
            verdict = checker_password(k, user, password, now_us);
    }
    if (bytes.n)
        explicit_bzero(bytes.p, bytes.n);
    buf_finish(&bytes);
    return verdict;
}
