#include "web/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "web/assets.h"

/* A connection, from its beginning to its end. busy: its request is whole, and is being answered. */
struct place {
    int fd; /* −1: free */
    bool busy;
    int64_t since_ms;
};

struct server {
    struct gate *gate;
    const struct peer_tables *peers;
    int control;
    pthread_mutex_t lock; /* of gate, control and places */
    struct place places[SERVE_CONNECTIONS_MAX];
};

/* One request while it comes in. */
struct call {
    struct door_request request;
    bool failed;
};

/* --- what every answer says --- */

static const struct {
    const char *name, *value;
} headers[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                                "connect-src 'self'; base-uri 'none'; "
                                "form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
    {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              const char *more, const char *value, struct MHD_Response *response)
{
    enum MHD_Result result = MHD_NO;
    if (response == NULL)
        return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i].name, headers[i].value);
    if (type != NULL)
        MHD_add_response_header(response, "Content-Type", type);
    if (more != NULL)
        MHD_add_response_header(response, more, value);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
    const char *reason = gate_reason(status);
    return answer(
        connection, status, "text/plain; charset=utf-8", "Connection", "close",
        MHD_create_response_from_buffer(strlen(reason), (void *)(uintptr_t)reason, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result let_in(struct MHD_Connection *connection, const struct gate *gate)
{
    char cookie[256];
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s", gate->cookie_name,
             gate->cookie, gate->port == 0 ? "; Secure" : "");
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        MHD_add_response_header(response, "Set-Cookie", cookie);
    explicit_bzero(cookie, sizeof cookie);
    return answer(connection, 303, NULL, "Location", "/", response);
}

/* --- the door --- */

static ssize_t read_body(void *context, uint64_t position, char *out, size_t size)
{
    const int fd = (int)(intptr_t)context;
    ssize_t n;
    (void)position;
    do
        n = recv(fd, out, size, 0);
    while (n < 0 && errno == EINTR);
    return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void close_body(void *context)
{
    close((int)(intptr_t)context);
}

static bool pass_request(struct server *server, const struct door_request *request, int *near)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    pthread_mutex_lock(&server->lock);
    const bool passed = door_pass(server->control, ends[1]);
    pthread_mutex_unlock(&server->lock);
    close(ends[1]);
    *near = ends[0];
    if (passed && door_request_write(ends[0], request) && shutdown(ends[0], SHUT_WR) == 0)
        return true;
    close(ends[0]);
    return false;
}

static enum MHD_Result bring(struct server *server, struct MHD_Connection *connection, struct call *call)
{
    enum { BLOCK = 32 * 1024 };
    struct door_reply reply;
    char saved[DOOR_NAME_MAX + 64] = "";
    int near;
    if (!pass_request(server, &call->request, &near))
        return refuse(connection, 503);
    if (!door_reply_read(near, &reply)) {
        close(near);
        return refuse(connection, 503);
    }
    if (reply.status == 303) {
        close(near);
        return answer(connection, 303, NULL, "Location", reply.name,
                      MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
    }
    if (reply.name[0] != '\0')
        snprintf(saved, sizeof saved, "attachment; filename=\"%s\"", reply.name);
    return answer(connection, reply.status, door_type_name(reply.type),
                  saved[0] != '\0' ? "Content-Disposition" : NULL, saved,
                  MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_body,
                                                    (void *)(intptr_t)near, close_body));
}

/* --- requests --- */

struct headers {
    struct gate_request *request;
    const char *language;
    size_t n;
};

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct headers *said = context;
    struct gate_request *request = said->request;
    const struct {
        const char *name, **value;
    } rows[] = {{"Host", &request->host},
                {"Origin", &request->origin},
                {"Sec-Fetch-Site", &request->fetch_site},
                {"Cookie", &request->cookie},
                {"X-Maille", &request->marker},
                {"Content-Type", &request->content_type},
                {"Content-Length", &request->content_length},
                {"Transfer-Encoding", &request->coding},
                {"Accept-Language", &said->language}};
    (void)kind;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcasecmp(rows[i].name, name) == 0) {
            request->twice = request->twice || *rows[i].value != NULL;
            *rows[i].value = value == NULL ? "" : value;
        }
    return ++said->n > SERVE_HEADERS_MAX ? MHD_NO : MHD_YES;
}

struct query {
    char *out;
    size_t used;
    bool bad;
};

static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct query *query = context;
    (void)kind;
    const int n = snprintf(query->out + query->used, DOOR_QUERY_MAX - query->used, "%s%s=%s",
                           query->used > 0 ? "&" : "", name, value == NULL ? "" : value);
    query->bad = query->bad || n < 0 || query->used + (size_t)n >= DOOR_QUERY_MAX || !door_is_word(name) ||
                 (value != NULL && !door_is_word(value));
    query->used += query->bad ? 0 : (size_t)n;
    return query->bad ? MHD_NO : MHD_YES;
}

/* The language that a person chose on the page (a cookie that only says that), else the browser's first. */
static enum language language_of(const struct headers *said)
{
    const char *chosen =
        said->request->cookie != NULL ? strstr(said->request->cookie, "maille-language=") : NULL;
    const char *language = chosen != NULL ? chosen + strlen("maille-language=") : said->language;
    return language != NULL && strncasecmp(language, "fr", 2) == 0 ? LANGUAGE_FR : LANGUAGE_EN;
}

/* The head of a request is there. */
static enum MHD_Result begin(struct server *server, struct MHD_Connection *connection, const char *path,
                             const char *method, void **context)
{
    struct gate_request said = {.method = method, .path = path};
    struct headers take = {.request = &said};
    char arguments[DOOR_QUERY_MAX] = "";
    struct query query = {.out = arguments};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &take);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, &query);
    said.ticket = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "ticket");
    if (take.n > SERVE_HEADERS_MAX || query.bad || strlen(path) >= DOOR_PATH_MAX)
        return refuse(connection, 400);
    pthread_mutex_lock(&server->lock);
    const unsigned status = gate_judge(server->gate, &said, clock_monotonic_ms());
    pthread_mutex_unlock(&server->lock);
    if (status == 303)
        return let_in(connection, server->gate);
    if (status != 200)
        return refuse(connection, status);
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return MHD_NO;
    call->request.post = strcmp(method, "POST") == 0;
    call->request.language = language_of(&take);
    snprintf(call->request.path, sizeof call->request.path, "%s", path);
    memcpy(call->request.query, arguments, sizeof arguments);
    *context = call;
    return MHD_YES;
}

static void set_busy(struct server *server, struct MHD_Connection *connection, bool busy)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; info != NULL && i < SERVE_CONNECTIONS_MAX; i++)
        if (server->places[i].fd == info->connect_fd) {
            server->places[i].busy = busy;
            server->places[i].since_ms = clock_monotonic_ms();
        }
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *length,
                                  void **of_call)
{
    struct server *server = context;
    struct call *call = *of_call;
    (void)version;
    if (call == NULL)
        return begin(server, connection, path, method, of_call);
    if (*length > 0) {
        if (!call->request.post || call->request.body.length + *length > DOOR_BODY_MAX)
            return MHD_NO;
        bytes_put(&call->request.body, data, *length);
        *length = 0;
        return call->request.body.failed ? MHD_NO : MHD_YES;
    }
    set_busy(server, connection, true);
    const struct web_asset *asset = web_asset_find(path);
    if (asset != NULL && !call->request.post)
        return answer(connection, 200, asset->type, NULL, NULL,
                      MHD_create_response_from_buffer((size_t)(asset->end - asset->begin),
                                                      (void *)(uintptr_t)asset->begin,
                                                      MHD_RESPMEM_PERSISTENT));
    return bring(server, connection, call);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **of_call,
                         enum MHD_RequestTerminationCode code)
{
    struct call *call = *of_call;
    (void)code;
    if (call != NULL)
        bytes_wipe(&call->request.body);
    free(call);
    *of_call = NULL;
    set_busy(context, connection, false);
}

/* --- connections --- */

/* Before anything is read of it. Behind a proxy who connects is the proxy, which the socket's mode lets in.
 */
static enum MHD_Result on_peer(void *context, const struct sockaddr *from, socklen_t length)
{
    const struct server *server = context;
    struct sockaddr_in address;
    if (server->gate->port == 0)
        return MHD_YES;
    if (from == NULL || from->sa_family != AF_INET || length < sizeof address)
        return MHD_NO;
    memcpy(&address, from, sizeof address);
    return peer_is_own(server->peers, &address, server->gate->port) ? MHD_YES : MHD_NO;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **unused,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const bool starts = code == MHD_CONNECTION_NOTIFY_STARTED;
    (void)unused;
    if (info == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < SERVE_CONNECTIONS_MAX; i++)
        if (server->places[i].fd == (starts ? -1 : info->connect_fd)) {
            server->places[i] =
                (struct place){.fd = starts ? info->connect_fd : -1, .since_ms = clock_monotonic_ms()};
            break;
        }
    pthread_mutex_unlock(&server->lock);
}

/* libmicrohttpd's own limit is of silence: a byte now and then holds a connection for ever. */
static void hang_up_slow(struct server *server)
{
    const int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < SERVE_CONNECTIONS_MAX; i++)
        if (server->places[i].fd >= 0 && !server->places[i].busy &&
            now_ms - server->places[i].since_ms > SERVE_REQUEST_MS)
            shutdown(server->places[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
}

/* A new ticket; false: the other end is closed. */
static bool take_ticket(struct server *server)
{
    char ticket[DOOR_TICKET_DIGITS + 1] = "";
    const ssize_t n = recv(server->control, ticket, DOOR_TICKET_DIGITS, 0);
    pthread_mutex_lock(&server->lock);
    if (n == DOOR_TICKET_DIGITS)
        gate_ticket(server->gate, ticket, clock_monotonic_ms());
    pthread_mutex_unlock(&server->lock);
    explicit_bzero(ticket, sizeof ticket);
    return n > 0;
}

static void follow_control(struct server *server)
{
    struct pollfd one = {.fd = server->control, .events = POLLIN};
    do
        hang_up_slow(server);
    while (poll(&one, 1, 1000) < 1 || take_ticket(server));
}

enum maille_code serve_run(struct gate *gate, const struct peer_tables *peers, int ear, int control,
                           struct maille_error *error)
{
    enum { STACK_BYTES = 512 * 1024 };
    static struct server server; /* one a process: threads use it to the end */
    server.gate = gate;
    server.peers = peers;
    server.control = control;
    pthread_mutex_init(&server.lock, NULL);
    for (size_t i = 0; i < SERVE_CONNECTIONS_MAX; i++)
        server.places[i].fd = -1;
    if (!take_ticket(&server)) /* before the first request, which may come at once */
        _exit(0);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC, 0,
        on_peer, &server, on_request, &server, MHD_OPTION_LISTEN_SOCKET, ear, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)SERVE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVE_SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVE_HEAD_BYTES_MAX, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, &server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, &server, MHD_OPTION_END);
    if (daemon == NULL)
        return maille_fail_errno(error, "cannot start the server (libmicrohttpd)");
    follow_control(&server);
    _exit(0); /* connections that are open end with the process */
}
