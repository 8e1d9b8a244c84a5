/* One message as it was received: opened and decoded here once, for whoever it came to. A party says by a
 * table of its own which kinds it takes, from whom, and in which states; its handlers take the decoded body.
 */
#ifndef PROTO_OPEN_H
#define PROTO_OPEN_H

#include "proto/directory.h"
#include "proto/message.h"

struct message {
    struct arena *arena; /* of everything that was decoded */
    struct envelope envelope;
    const struct message_rule *rule;
    const uint8_t *frame; /* NULL: none; borrowed from the caller */
    size_t frame_length;
    const uint8_t *qid; /* of the body; NULL: concerns no query, or was not decoded */
    /* of a start: its header, whose vector its runs cover, and the header's hash */
    struct message_round_header round;
    struct digest psi;
    bool logged; /* whoever handles it has it in its log */
    union {
        struct message_hello hello;
        struct message_welcome welcome;
        struct message_directory directory;
        struct message_catalogue catalogue;
        struct message_catalogues catalogues;
        struct message_manifest manifest;
        struct message_ready ready;
        struct message_call call;
        struct message_accept accept;
        struct message_roster roster;
        struct message_start start;
        struct message_refuse refuse;
        struct message_masked masked;
        struct message_pull pull;
        struct message_segment segment;
        struct message_close close;
        struct message_reveal reveal;
        struct message_sum sum;
        struct message_custody custody;
        struct message_taken taken;
        struct message_agreed agreed;
        struct message_result result;
        struct message_end end;
        struct message_cancel cancel;
        struct message_log_head log_head;
        struct message_status status;
        struct message_list list;
        struct message_resume resume;
        struct message_problem problem;
    } body;
};

/* Who may send a message, in a table: bit r for enum key_role r. */
enum {
    FROM_SITE = 1 << KEY_SITE,
    FROM_RESEARCHER = 1 << KEY_RESEARCHER,
    FROM_COORDINATOR = 1 << KEY_COORDINATOR
};

/* The envelope, and the frame within the limit of its kind. MAILLE_PROTOCOL (rule `frame`). */
enum maille_code message_open(struct message *message, struct arena *arena, const void *envelope,
                              size_t length, const void *frame, size_t frame_length,
                              struct maille_error *error) MAILLE_CHECKED;
/* The body, once: what is signed is parsed only if it is signed by whom the envelope names, somebody of the
 * directory in one of the roles `from` (MAILLE_SIGNATURE, rule `signature`). directory NULL: it comes from
 * our own disk, and was verified before it went there. MAILLE_PROTOCOL. */
enum maille_code message_decode(struct message *message, const struct directory *directory, unsigned from,
                                struct maille_error *error) MAILLE_CHECKED;

/* Both, for an envelope within another message's body, of one kind alone (MAILLE_PROTOCOL). */
enum maille_code message_within(struct message *message, struct arena *arena, const struct byte_view *bytes,
                                enum message_kind kind, const struct directory *directory, unsigned from,
                                struct maille_error *error) MAILLE_CHECKED;

#endif
