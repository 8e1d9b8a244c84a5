/* A researcher who signs a bundle of her own making: what bundle_check finds without hashes and signature.
 * Usage: bundle_parts A.tar B.tar [KEY CREDENTIAL], two bundles of two studies of one network, and the key of
 * the researcher who asked. Exit status 0 when every part that does not belong is found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/bundle.h"
#include "cli/files.h"
#include "proto/message.h"

enum { MESSAGES_MAX = 1024 };

static unsigned checks, failures;

static void load(struct bundle_input *input, struct byte_view *messages, struct byte_view *frames,
                 struct arena *arena, const char *path)
{
    static struct bytes texts[2];
    static size_t n_texts;
    struct maille_error error;
    const struct archive_file *files;
    size_t n;
    struct bytes *text = &texts[n_texts++];
    if (file_read(text, path, BUNDLE_BYTES_MAX, &error) != MAILLE_OK ||
        archive_read(&files, &n, arena, path, text->data, text->length, &error) != MAILLE_OK) {
        fprintf(stderr, "%s\n", error.sentence);
        exit(2);
    }
    *input = (struct bundle_input){.messages = messages, .frames = frames};
    for (size_t f = 0; f < n; f++) {
        const char *name = strchr(files[f].name, '/') + 1;
        const struct byte_view bytes = {files[f].data, files[f].length};
        if (strcmp(name, "study.yaml") == 0)
            input->study = bytes;
        else if (strcmp(name, "dictionary.yaml") == 0)
            input->dictionary = bytes;
        else if (strcmp(name, "network.yaml") == 0)
            input->network = bytes;
        else if (strcmp(name, "result.json") == 0)
            input->result = bytes;
        else if (strcmp(name, "report.html") == 0)
            input->page = bytes;
        else if (strcmp(name, "question.key") == 0)
            input->question_key = bytes;
        else if (strncmp(name, "messages/", 9) == 0 && strstr(name, ".sealed") != NULL)
            frames[input->n_messages - 1] = bytes;
        else if (strncmp(name, "messages/", 9) == 0 && input->n_messages < MESSAGES_MAX)
            messages[input->n_messages++] = bytes;
    }
}

/* words NULL: it is sound. */
static void judge(const char *what, const struct bundle_input *input, const char *words)
{
    struct bundle_facts facts;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    const enum maille_code code = bundle_check(&facts, arena, input, &error);
    checks++;
    if (words == NULL ? code != MAILLE_OK : code == MAILLE_OK || strstr(error.sentence, words) == NULL) {
        failures++;
        fprintf(stderr, "FAILED: %s: expected %s, found %s\n", what, words == NULL ? "a sound bundle" : words,
                code == MAILLE_OK ? "a sound bundle" : error.sentence);
    }
    arena_free(arena);
}

/* The text with one word put in the place of another, in the arena. */
static struct byte_view with(struct arena *arena, struct byte_view text, const char *from, const char *to)
{
    const char *copy = arena_strndup(arena, (const char *)text.data, text.length), *at = strstr(copy, from);
    if (at == NULL) {
        fprintf(stderr, "expected \"%s\" in the result\n", from);
        exit(2);
    }
    const char *made = arena_printf(arena, "%.*s%s%s", (int)(at - copy), copy, to, at + strlen(from));
    return (struct byte_view){(const uint8_t *)made, strlen(made)};
}

/* The manifest again, to as few sites as she likes, signed by her. */
static void judge_few(const struct bundle_input *from, const char *key, const char *credential)
{
    static struct byte_view messages[MESSAGES_MAX];
    struct bundle_input input = *from;
    struct arena *arena = arena_new();
    struct secret_keys *keys = NULL;
    struct bytes body = {0}, envelope = {0};
    struct message_manifest manifest;
    struct envelope old;
    struct maille_error error = {0};
    memcpy(messages, from->messages, from->n_messages * sizeof *messages);
    input.messages = messages;
    if (cli_read_keys(&keys, KEY_RESEARCHER, key, credential, &error) != MAILLE_OK ||
        envelope_decode(&old, arena, messages[0].data, messages[0].length, &error) != MAILLE_OK ||
        message_manifest_decode(&manifest, arena, old.body, old.body_length, &error) != MAILLE_OK) {
        fprintf(stderr, "%s\n", error.sentence);
        exit(2);
    }
    manifest.n_min = 1;
    if (message_manifest_encode(&body, &manifest, &error) != MAILLE_OK ||
        envelope_encode(&envelope, MESSAGE_MANIFEST, keys, manifest.researcher, &body, &error) != MAILLE_OK) {
        fprintf(stderr, "%s\n", error.sentence);
        exit(2);
    }
    messages[0] = (struct byte_view){envelope.data, envelope.length};
    judge("a question to one site", &input, "n_min");
    bytes_clear(&body);
    bytes_clear(&envelope);
    secret_keys_free(keys);
    arena_free(arena);
}

static void judge_page(const struct bundle_input *from)
{
    struct bundle_facts facts = {0};
    struct maille_error error;
    struct arena *arena = arena_new();
    struct bundle_input input = *from;
    bool right = bundle_check(&facts, arena, &input, &error) == MAILLE_OK && facts.page_same;
    input.page = with(arena, from->page, "<h1", "<h2");
    right = right && bundle_check(&facts, arena, &input, &error) == MAILLE_OK && !facts.page_same;
    checks++;
    if (!right) {
        failures++;
        fprintf(stderr, "FAILED: a page that is not of the result\n");
    }
    arena_free(arena);
}

int main(int argc, char **argv)
{
    static struct byte_view a_messages[MESSAGES_MAX], b_messages[MESSAGES_MAX], mixed[MESSAGES_MAX];
    static struct byte_view a_frames[MESSAGES_MAX], b_frames[MESSAGES_MAX];
    struct bundle_input a, b, input;
    struct arena *arena = arena_new();
    struct maille_error error;
    if ((argc != 3 && argc != 5) || crypto_start(&error) != MAILLE_OK)
        return 2;
    load(&a, a_messages, a_frames, arena, argv[1]);
    load(&b, b_messages, b_frames, arena, argv[2]);
    judge("as it was", &a, NULL);
    judge("the other as it was", &b, NULL);
    judge_page(&a);
    if (argc == 5)
        judge_few(&a, argv[3], argv[4]);
    input = a;
    input.study = b.study;
    judge("another study", &input, "study.yaml");
    input = a;
    input.dictionary = with(arena, a.dictionary, "rotterdam", "amsterdam");
    judge("another dictionary", &input, "dictionary.yaml");
    input = a;
    input.network = with(arena, a.network, "version: 1", "version: 2");
    judge("another directory", &input, "signature");
    input = a;
    input.result = b.result;
    judge("the result of another question", &input, "result.json");
    input.result = with(arena, a.result, "\"number\": 1,", "\"number\": 2,");
    judge("a snapshot that no site signed", &input, "the snapshots that the sites signed");
    input.result = with(arena, a.result, "\"party\": \"site-1\"", "\"party\": \"site-2\"");
    judge("a log that no party showed", &input, "heads of the logs");
    input.result = with(arena, a.result, "study: first", "study: worst");
    judge("a result that tells another study", &input, "the text of this study");
    input.result = with(arena, a.result, "\"protocol\": \"HDH-0000\"", "\"protocol\": \"HDH-0001\"");
    judge("a result of another registration", &input, "the title, purpose and protocol");

    if (a.question_key.length > 0) { /* in the circle the sites have signed each number */
        static struct byte_view frames[MESSAGES_MAX];
        const size_t last = a.n_messages - 1;
        input = a;
        input.result = with(arena, a.result, "\"n_risk\": [\n", "\"n_rxsk\": [\n");
        judge("a result that no site signed", &input, "to be signed by");
        input.result = with(arena, a.result, "\"status\": \"ok\"", "\"status\": \"failed\"");
        judge("an answer told as a failure", &input, "to be signed by");
        input.result = with(arena, a.result, "\"warnings\": [", "\"warnings\": [ \"all is well\",");
        judge("a warning that no site gave", &input, "to be signed by");
        input.result = a.result;
        input.question_key = b.question_key;
        judge("another question's key", &input, "opens with the question's key");
        input.question_key.length = 0;
        judge("no key", &input, "opens with the question's key");
        input = a;
        input.frames = frames;
        memcpy(frames, a_frames, sizeof frames);
        frames[last] = a_frames[last - 1];
        judge("one site's result as another's", &input, "opens with the question's key");
        input = a;
        input.n_messages = last - 2; /* of five sites, of which five or four must have signed */
        judge("results of too few sites", &input, "to be signed by");
    }
    input = a;
    input.messages = mixed;
    for (size_t m = 0; m < a.n_messages; m++) { /* each message, from the other question in its place */
        memcpy(mixed, a_messages, sizeof mixed);
        mixed[m] = b_messages[m < b.n_messages ? m : b.n_messages - 1];
        judge("a message of another question", &input, "expected");
        memcpy(mixed, a_messages, sizeof mixed); /* and altered */
        uint8_t *copy = (uint8_t *)arena_strndup(arena, (const char *)mixed[m].data, mixed[m].length);
        copy[mixed[m].length / 2] ^= 1;
        mixed[m].data = copy;
        judge("an altered message", &input, "expected");
    }
    memcpy(mixed, a_messages, sizeof mixed);
    mixed[3] = a_messages[5]; /* the close of round 2 before that of round 1 */
    mixed[5] = a_messages[3];
    judge("closes in another order", &input, "expected");
    memcpy(mixed, a_messages, sizeof mixed);
    memmove(mixed + 2, mixed + 3, (a.n_messages - 3) * sizeof *mixed); /* without the start of round 1 */
    input.n_messages = a.n_messages - 1;
    judge("a round that nobody started", &input, "a round that the researcher started");
    input.n_messages = 0;
    judge("no message", &input, "manifest of a question");
    input = a;
    input.n_messages = 2; /* the rounds cut off: the result has snapshots of sites that never answered */
    judge("without its rounds", &input, "result.json");
    arena_free(arena);
    printf("%u checks, %u failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
