#include "wire/zap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

/* Frames of a request: version, request id, domain, address, identity, mechanism, credentials. */
enum { ZAP_FRAMES = 7, ZAP_FRAME_MAX = 256 };

struct zap {
    void *handler, *stop_here, *stop_there; /* REP; a PAIR that says "stop" */
    wire_admit *admit;
    void *admit_context;
    pthread_t thread;
    bool running;
};

struct request {
    char frames[ZAP_FRAMES][ZAP_FRAME_MAX];
    size_t lengths[ZAP_FRAMES];
    size_t n;
};

/* Reads one request; n stays within what a well-formed one has, or is more and then refused. */
static void read_request(struct request *request, void *socket)
{
    bool more = true;
    request->n = 0;
    while (more) {
        char extra[ZAP_FRAME_MAX];
        char *place = request->n < ZAP_FRAMES ? request->frames[request->n] : extra;
        int length = zmq_recv(socket, place, ZAP_FRAME_MAX, 0);
        if (length < 0 || length > ZAP_FRAME_MAX)
            length = 0;
        if (request->n < ZAP_FRAMES)
            request->lengths[request->n] = (size_t)length;
        request->n++;
        int flag = 0;
        size_t size = sizeof flag;
        more = zmq_getsockopt(socket, ZMQ_RCVMORE, &flag, &size) == 0 && flag != 0;
    }
}

static bool frame_is(const struct request *request, size_t frame, const char *text)
{
    return request->lengths[frame] == strlen(text) && memcmp(request->frames[frame], text, strlen(text)) == 0;
}

/* ZMTP metadata: LE8 |name| ‖ name ‖ BE32 |value| ‖ value. */
static size_t role_property(char out[16], enum key_role role)
{
    const size_t name = sizeof ZAP_ROLE - 1;
    out[0] = (char)name;
    memcpy(out + 1, ZAP_ROLE, name);
    memcpy(out + 1 + name, (const uint8_t[]){0, 0, 0, 1}, 4);
    out[5 + name] = (char)('0' + (int)role);
    return 6 + name;
}

static void answer(struct zap *zap)
{
    struct request request = {0};
    char name[WIRE_PEER_MAX + 1] = "", property[16];
    size_t property_length = 0;
    enum key_role role = KEY_SITE;
    read_request(&request, zap->handler);
    bool admitted = request.n == ZAP_FRAMES && frame_is(&request, 0, "1.0") &&
                    frame_is(&request, 2, ZAP_DOMAIN) && frame_is(&request, 5, "CURVE") &&
                    request.lengths[6] == PUBLIC_BYTES &&
                    zap->admit(zap->admit_context, (const uint8_t *)request.frames[6], name, &role);
    if (admitted)
        property_length = role_property(property, role);
    else
        name[0] = '\0';
    const char *status = admitted ? "200" : "400";
    zmq_send(zap->handler, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(zap->handler, request.frames[1], request.lengths[1], ZMQ_SNDMORE);
    zmq_send(zap->handler, status, 3, ZMQ_SNDMORE);
    zmq_send(zap->handler, "", 0, ZMQ_SNDMORE);
    zmq_send(zap->handler, name, strlen(name), ZMQ_SNDMORE);
    zmq_send(zap->handler, property, property_length, 0);
}

static void *serve(void *context)
{
    struct zap *zap = context;
    for (;;) {
        zmq_pollitem_t items[] = {{.socket = zap->handler, .events = ZMQ_POLLIN},
                                  {.socket = zap->stop_here, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 2, -1) < 0)
            continue;
        if (items[1].revents != 0)
            return NULL;
        if (items[0].revents != 0)
            answer(zap);
    }
}

static enum maille_code fail(struct maille_error *error)
{
    return maille_fail(error, MAILLE_INTERNAL, "expected to start the ZAP handler, found: %s",
                       zmq_strerror(zmq_errno()));
}

enum maille_code zap_start(struct zap **zap, void *context, wire_admit *admit, void *admit_context,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const int no_linger = 0;
    struct zap *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the ZAP handler, found none");
    made->admit = admit;
    made->admit_context = admit_context;
    made->handler = zmq_socket(context, ZMQ_REP);
    made->stop_here = zmq_socket(context, ZMQ_PAIR);
    made->stop_there = zmq_socket(context, ZMQ_PAIR);
    if (made->handler == NULL || made->stop_here == NULL || made->stop_there == NULL ||
        zmq_setsockopt(made->handler, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0 ||
        zmq_bind(made->handler, "inproc://zeromq.zap.01") != 0 ||
        zmq_bind(made->stop_here, "inproc://maille-zap-stop") != 0 ||
        zmq_connect(made->stop_there, "inproc://maille-zap-stop") != 0) {
        code = fail(error);
        goto out;
    }
    if (pthread_create(&made->thread, NULL, serve, made) != 0) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a thread for the ZAP handler, found none");
        goto out;
    }
    made->running = true;
    *zap = made;
    made = NULL;
out:
    zap_stop(made);
    return code;
}

void zap_stop(struct zap *zap)
{
    if (zap == NULL)
        return;
    if (zap->running) {
        zmq_send(zap->stop_there, "", 0, 0);
        pthread_join(zap->thread, NULL);
    }
    void *const sockets[] = {zap->handler, zap->stop_here, zap->stop_there};
    for (size_t i = 0; i < 3; i++)
        if (sockets[i] != NULL)
            zmq_close(sockets[i]);
    free(zap);
}
