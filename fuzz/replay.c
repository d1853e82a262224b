/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main of a fuzzer in the normal build: hands every file of a folder to the fuzzer, once, and
 * says how many there were, as TAP. Each file is named before it is tried, so that the last name
 * printed is the one that crashed.
 */
#include "base/auto.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A copy of exactly its size, so that a read past its end is seen by AddressSanitizer. */
static int try(const char *path)
{
    AUTO(auto_fclose) FILE *file = fopen(path, "rb");
    AUTO(auto_free) uint8_t *all = malloc(INPUT_BYTES);
    AUTO(auto_free) uint8_t *exact = NULL;
    size_t n;

    printf("# %s\n", path);
    fflush(stdout);
    if (!file || !all)
        return -errno;
    n = fread(all, 1, INPUT_BYTES, file);
    if (ferror(file))
        return -EIO;
    exact = malloc(n ? n : 1);
    if (!exact)
        return -ENOMEM;
    memcpy(exact, all, n);
    LLVMFuzzerTestOneInput(exact, n);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    unsigned unread = 0;
    int n;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_FAILURE;
    }
    n = scandir(argv[1], &entries, is_input, alphasort);
    puts("1..1");
    for (int i = 0; i < n; i++) {
        AUTO(auto_free) char *path = NULL;
        int r = asprintf(&path, "%s/%s", argv[1], entries[i]->d_name) < 0 ? -ENOMEM : try(path);

        if (r < 0) {
            printf("# cannot be read: %s\n", strerror(-r));
            unread++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%sok 1 - %d inputs replayed from %s\n", n > 0 && !unread ? "" : "not ", n < 0 ? 0 : n,
           argv[1]);
    return EXIT_SUCCESS;
}
