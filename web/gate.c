#include "web/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARKER                                                                                               \
    "page" /* the value of X-Maille, which no form and no foreign page can send without being asked */

enum maille_code gate_start(struct gate *gate, struct maille_error *error)
{
    if (!door_random(gate->cookie))
        return maille_fail_errno(error, "cannot get random bytes for the session");
    /* Browsers keep one jar of cookies for all ports of a host: the name tells two servers apart. With a
     * proxy the page comes by TLS: the name's prefix holds the cookie to it and to that host. */
    if (gate->port != 0)
        snprintf(gate->cookie_name, sizeof gate->cookie_name, "maille-%u", gate->port);
    else
        snprintf(gate->cookie_name, sizeof gate->cookie_name, "__Host-maille");
    gate->ticket[0] = '\0';
    return MAILLE_OK;
}

void gate_ticket(struct gate *gate, const char *ticket, int64_t now_ms)
{
    snprintf(gate->ticket, sizeof gate->ticket, "%.*s", DOOR_TICKET_DIGITS, ticket);
    gate->ticket_until_ms = now_ms + GATE_TICKET_MS;
}

/* In a time that does not depend on where they differ; secret: DOOR_TICKET_DIGITS. */
static bool same_secret(const char *secret, const char *said, size_t length)
{
    if (length != DOOR_TICKET_DIGITS || strlen(secret) != DOOR_TICKET_DIGITS)
        return false;
    volatile unsigned sum = 0;
    for (size_t i = 0; i < DOOR_TICKET_DIGITS; i++)
        sum = sum | (unsigned)(secret[i] ^ said[i]);
    return sum == 0;
}

/* The one name of this server. localhost is not: the same port of ::1 may be another user's. */
static bool is_ours(const struct gate *gate, const char *host)
{
    char name[GATE_HOST_MAX];
    if (gate->port == 0)
        return gate->host[0] != '\0' && strcasecmp(host, gate->host) == 0;
    snprintf(name, sizeof name, "127.0.0.1:%u", gate->port);
    return strcmp(host, name) == 0;
}

static bool is_own_origin(const struct gate *gate, const char *origin, const char *host)
{
    const char *scheme = gate->port != 0 ? "http://" : "https://";
    const size_t length = strlen(scheme);
    return strncmp(origin, scheme, length) == 0 && strcasecmp(origin + length, host) == 0;
}

/* The session's cookie among those that the browser sends. */
static bool has_cookie(const struct gate *gate, const char *cookies)
{
    const size_t length = strlen(gate->cookie_name);
    for (const char *one = cookies; one != NULL && *one != '\0';) {
        one += strspn(one, " ;");
        const size_t whole = strcspn(one, ";");
        if (whole > length && strncmp(one, gate->cookie_name, length) == 0 && one[length] == '=' &&
            same_secret(gate->cookie, one + length + 1, whole - length - 1))
            return true;
        one += whole;
    }
    return false;
}

/* 200, or why the ticket is refused: the right one is used up. */
static unsigned use_ticket(struct gate *gate, const struct gate_request *request, int64_t now_ms)
{
    if (strcmp(request->method, "GET") != 0 || request->ticket == NULL || now_ms > gate->ticket_until_ms ||
        !same_secret(gate->ticket, request->ticket, strlen(request->ticket)))
        return 403;
    explicit_bzero(gate->ticket, sizeof gate->ticket);
    return 303;
}

static unsigned judge_body(const struct gate_request *request)
{
    char *end = NULL;
    if (request->content_length == NULL)
        return 411;
    errno = 0;
    const unsigned long long length = strtoull(request->content_length, &end, 10);
    if (errno != 0 || end == request->content_length || *end != '\0' || request->content_length[0] == '-')
        return 400;
    if (length > DOOR_BODY_MAX)
        return 413;
    return request->content_type != NULL && strcmp(request->content_type, "application/x-maille") == 0 ? 200
                                                                                                       : 415;
}

unsigned gate_judge(struct gate *gate, const struct gate_request *request, int64_t now_ms)
{
    const bool post = strcmp(request->method, "POST") == 0;
    if (request->twice || (request->content_length != NULL && request->coding != NULL)) /* two lengths */
        return 400;
    if (request->host == NULL || !is_ours(gate, request->host))
        return 421;
    if (!post && strcmp(request->method, "GET") != 0)
        return 405;
    if (request->origin != NULL && !is_own_origin(gate, request->origin, request->host))
        return 403;
    if (request->fetch_site != NULL && strcmp(request->fetch_site, "same-origin") != 0 &&
        strcmp(request->fetch_site, "none") != 0)
        return 403;
    if (!door_is_path(request->path))
        return 404;
    if (strcmp(request->path, "/enter") == 0)
        return use_ticket(gate, request, now_ms);
    if (!has_cookie(gate, request->cookie))
        return 401;
    if (!post)
        return 200;
    if (request->marker == NULL || strcmp(request->marker, MARKER) != 0)
        return 403;
    return judge_body(request);
}

const char *gate_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *sentence;
    } reasons[] = {
        {400, "expected a request of this page, found another."},
        {401,
         "This browser has no session here. Open the address that maille printed in its terminal; it works "
         "once. Enter in that terminal prints another."},
        {403, "expected a request of this page itself, with a ticket that was not used, found another. Enter "
              "in the "
              "terminal of maille prints a new address."},
        {404, "expected a page of this server, found none of that name."},
        {405, "expected GET or POST, found another method."},
        {411, "expected the length of what is sent, found none."},
        {413, "expected at most 1 MiB, found more."},
        {415, "expected a study or JSON of this page, found another type."},
        {421, "expected a name of this server in Host, found another."},
        {503, "The program that has the key does not answer."},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].sentence;
    return "expected another request.";
}
