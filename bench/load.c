/*
 * load: one thread, one epoll, many connections, a closed loop of requests.
 *
 * It speaks the bank's line protocol and the part of Redis' protocol that has
 * one-line replies, so that both are measured by the same code. Every reply is
 * checked; a fast wrong answer is an error and never a result. The run always
 * ends: connecting, measuring and draining each have a deadline.
 *
 * Build: cc -O2 -Wall -Wextra -o load load.c        Help: ./load --help
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL
#define EVENTS_MAX 512
/* Replies are short; one read of this size empties a socket at any depth used. */
#define READ_BYTES 65536
/* Only the beginning of a reply is judged, the rest of an overlong one is skipped. */
#define REPLY_KEPT_BYTES 160
#define SAMPLES_MAX 5
#define CONNECT_TIMEOUT_S 10
#define IDLE_OPEN_TIMEOUT_S 60
#define DRAIN_TIMEOUT_S 10
/* Listen backlogs of 100 are common; fewer unanswered idle openings never overflow one. */
#define IDLE_PENDING_MAX 64
/* One source address has about 28,000 ephemeral ports; some may be in TIME_WAIT. */
#define CONNECTIONS_PER_SOURCE 12000

/* ---- settings ---------------------------------------------------------------------- */

struct settings {
    bool resp;
    struct sockaddr_in target;
    unsigned connections, in_flight, idle_connections;
    double seconds, warmup_s;
    uint64_t requests_max;
    const char *command, *accounts_file, *account_range, *bank_code, *lines_file, *replies_file;
    bool sequential;
    uint64_t seed;
};

static struct settings settings = {
    .connections = 64, .in_flight = 1, .seconds = 5, .warmup_s = 0,
    .command = "bc", .bank_code = "127.0.0.1", .seed = 1,
};

static const char HELP[] =
    "load --port P [options]\n"
    "  --proto bank|resp       what is spoken (bank)\n"
    "  --host A                numeric IPv4 address (127.0.0.1)\n"
    "  --port P                TCP port\n"
    "  --connections N         connections that work (64)\n"
    "  --in-flight P           unanswered requests on each of them (1)\n"
    "  --seconds S             length of the measurement (5)\n"
    "  --warmup S              load before the measurement that is not counted (0)\n"
    "  --requests N            stop after N requests; --seconds stays the upper bound,\n"
    "                          and there is no warm-up\n"
    "  --idle-connections K    K more connections that say one word and then stay quiet\n"
    "  --command C             bank: ad ab ac bc lines; resp: incrby exists ping\n"
    "  --accounts-file F       one account (or key) a line, such as 10001/127.0.0.1\n"
    "  --account-range A:B     accounts A..B of --bank-code, instead of a file\n"
    "  --bank-code IP          (127.0.0.1)\n"
    "  --lines-file F          requests of --command lines, sent round and round\n"
    "  --sequential            accounts in order and not at random\n"
    "  --replies F             write what follows the code of each right reply to F\n"
    "  --seed N                of the random choice of accounts (1)\n";

static void die(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static void usage(const char *what) {
    fprintf(stderr, "load: %s\n\n%s", what, HELP);
    exit(2);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) die("out of memory");
    return memory;
}

static double number(const char *name, const char *text, double least, double most) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most)) {
        char message[160];
        snprintf(message, sizeof message, "--%s %.40s: give a number from %g to %g",
                 name, text, least, most);
        usage(message);
    }
    return value;
}

enum flag {
    OPT_PROTO = 1, OPT_HOST, OPT_PORT, OPT_CONNECTIONS, OPT_IN_FLIGHT, OPT_SECONDS, OPT_WARMUP,
    OPT_REQUESTS, OPT_IDLE, OPT_COMMAND, OPT_ACCOUNTS, OPT_RANGE, OPT_CODE, OPT_LINES,
    OPT_SEQUENTIAL, OPT_REPLIES, OPT_SEED, OPT_HELP
};

static const struct option OPTIONS[] = {
    {"proto", 1, 0, OPT_PROTO}, {"host", 1, 0, OPT_HOST}, {"port", 1, 0, OPT_PORT},
    {"connections", 1, 0, OPT_CONNECTIONS}, {"in-flight", 1, 0, OPT_IN_FLIGHT},
    {"seconds", 1, 0, OPT_SECONDS}, {"warmup", 1, 0, OPT_WARMUP},
    {"requests", 1, 0, OPT_REQUESTS}, {"idle-connections", 1, 0, OPT_IDLE},
    {"command", 1, 0, OPT_COMMAND}, {"accounts-file", 1, 0, OPT_ACCOUNTS},
    {"account-range", 1, 0, OPT_RANGE}, {"bank-code", 1, 0, OPT_CODE},
    {"lines-file", 1, 0, OPT_LINES}, {"sequential", 0, 0, OPT_SEQUENTIAL},
    {"replies", 1, 0, OPT_REPLIES}, {"seed", 1, 0, OPT_SEED}, {"help", 0, 0, OPT_HELP},
    {0, 0, 0, 0},
};

static void set_option(int option, const char *name, const char *text) {
    struct settings *s = &settings;
    switch (option) {
    case OPT_PROTO:
        if (strcmp(text, "bank") && strcmp(text, "resp")) usage("--proto is bank or resp");
        s->resp = !strcmp(text, "resp");
        break;
    case OPT_HOST:
        if (inet_pton(AF_INET, text, &s->target.sin_addr) != 1)
            usage("--host is a numeric IPv4 address");
        break;
    case OPT_PORT: s->target.sin_port = htons((uint16_t)number(name, text, 1, 65535)); break;
    case OPT_CONNECTIONS: s->connections = (unsigned)number(name, text, 1, 100000); break;
    case OPT_IN_FLIGHT: s->in_flight = (unsigned)number(name, text, 1, 100000); break;
    case OPT_SECONDS: s->seconds = number(name, text, 0.01, 86400); break;
    case OPT_WARMUP: s->warmup_s = number(name, text, 0, 3600); break;
    case OPT_REQUESTS: s->requests_max = (uint64_t)number(name, text, 1, 1e12); break;
    case OPT_IDLE: s->idle_connections = (unsigned)number(name, text, 0, 1000000); break;
    case OPT_COMMAND: s->command = text; break;
    case OPT_ACCOUNTS: s->accounts_file = text; break;
    case OPT_RANGE: s->account_range = text; break;
    case OPT_CODE: s->bank_code = text; break;
    case OPT_LINES: s->lines_file = text; break;
    case OPT_SEQUENTIAL: s->sequential = true; break;
    case OPT_REPLIES: s->replies_file = text; break;
    case OPT_SEED: s->seed = (uint64_t)number(name, text, 1, 1e15); break;
    case OPT_HELP: fputs(HELP, stdout); exit(0);
    default: usage("unknown option");
    }
}

static void read_settings(int argc, char **argv) {
    int index = 0, option;
    settings.target.sin_family = AF_INET;
    settings.target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while ((option = getopt_long(argc, argv, "", OPTIONS, &index)) != -1)
        set_option(option, option == '?' ? "" : OPTIONS[index].name, optarg);
    if (optind < argc) usage("there are no positional arguments");
    if (!settings.target.sin_port) usage("--port is missing");
    if (settings.requests_max) settings.warmup_s = 0;
}

/* ---- the requests, all written once before the clock starts ------------------------- */

struct request {
    const char *bytes;
    uint32_t length;
    uint8_t expected_length;
    bool expected_whole; /* the reply is exactly the expected text, not only its beginning */
    char expected[8];
};

static struct request *requests;
static size_t request_count, request_bytes_max;

static void add_request(const char *bytes, const char *expected, bool whole) {
    static size_t capacity;
    if (request_count == capacity) {
        capacity = capacity ? capacity * 2 : 1024;
        requests = realloc(requests, capacity * sizeof *requests);
        if (!requests) die("out of memory");
    }
    struct request *r = &requests[request_count++];
    r->bytes = strdup(bytes);
    if (!r->bytes) die("out of memory");
    r->length = (uint32_t)strlen(bytes);
    r->expected_length = (uint8_t)strlen(expected);
    r->expected_whole = whole;
    memset(r->expected, 0, sizeof r->expected);
    memcpy(r->expected, expected, r->expected_length);
    if (r->length > request_bytes_max) request_bytes_max = r->length;
}

/* One row a command: how its request is written and what a right reply looks like. */
static const struct template {
    const char *command;
    bool resp, with_account;
    const char *format, *expected;
    bool whole;
} TEMPLATES[] = {
    {"ad", false, true, "AD %s 1\r\n", "AD", true},
    {"ab", false, true, "AB %s\r\n", "AB ", false},
    {"ac", false, false, "AC\r\n", "AC ", false},
    {"bc", false, false, "BC\r\n", "BC ", false},
    {"incrby", true, true, "*3\r\n$6\r\nINCRBY\r\n$%zu\r\n%s\r\n$1\r\n1\r\n", ":", false},
    {"exists", true, true, "*2\r\n$6\r\nEXISTS\r\n$%zu\r\n%s\r\n", ":1", true},
    {"ping", true, false, "*1\r\n$4\r\nPING\r\n", "+PONG", true},
};

static void add_from_template(const struct template *t, const char *account) {
    char line[512];
    if (!t->with_account) snprintf(line, sizeof line, "%s", t->format);
    else if (t->resp) snprintf(line, sizeof line, t->format, strlen(account), account);
    else snprintf(line, sizeof line, t->format, account);
    add_request(line, t->expected, t->whole);
}

static void add_line(const struct template *unused, const char *line) {
    char request[1024], code[3] = {0};
    (void)unused;
    snprintf(request, sizeof request, "%s\r\n", line);
    memcpy(code, line, strnlen(line, 2));
    add_request(request, code, false);
}

static void for_each_line(const char *path, const struct template *t,
                          void (*add)(const struct template *, const char *)) {
    char line[400];
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line) add(t, line);
    }
    fclose(file);
}

static void add_range(const struct template *t) {
    unsigned first, last;
    char account[64];
    if (sscanf(settings.account_range, "%u:%u", &first, &last) != 2 || first > last)
        usage("--account-range is FIRST:LAST");
    for (unsigned account_number = first; account_number <= last; account_number++) {
        snprintf(account, sizeof account, "%u/%s", account_number, settings.bank_code);
        add_from_template(t, account);
    }
}

static void write_requests(void) {
    const struct template *t = NULL;
    for (size_t i = 0; i < sizeof TEMPLATES / sizeof *TEMPLATES; i++)
        if (!strcmp(TEMPLATES[i].command, settings.command) && TEMPLATES[i].resp == settings.resp)
            t = &TEMPLATES[i];
    if (!settings.resp && !strcmp(settings.command, "lines")) {
        if (!settings.lines_file) usage("--command lines needs --lines-file");
        for_each_line(settings.lines_file, NULL, add_line);
        settings.sequential = true;
    } else if (!t) {
        usage("--command does not exist in this protocol");
    } else if (!t->with_account) {
        add_from_template(t, "");
    } else if (settings.accounts_file) {
        for_each_line(settings.accounts_file, t, add_from_template);
    } else if (settings.account_range) {
        add_range(t);
    } else {
        usage("this command needs --accounts-file or --account-range");
    }
    errno = 0;
    if (!request_count) die("there is nothing to send");
}

static uint32_t next_request(void) {
    static uint64_t state, counter;
    if (settings.sequential) return (uint32_t)(counter++ % request_count);
    if (!state) state = settings.seed * 0x9E3779B97F4A7C15ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(((state >> 32) * request_count) >> 32);
}

/* ---- latencies: 128 steps in every power of two, so a value is off by at most 0.8 % --- */

#define STEP_BITS 7
#define STEPS (1u << STEP_BITS)
static uint64_t histogram[(64 - STEP_BITS + 1) * STEPS];
static uint64_t latency_max_ns;

static void record_latency(uint64_t ns) {
    unsigned shift = ns < 2 * STEPS ? 0 : 63u - (unsigned)__builtin_clzll(ns) - STEP_BITS;
    histogram[shift * STEPS + (ns >> shift)]++;
    if (ns > latency_max_ns) latency_max_ns = ns;
}

static double percentile_us(double share, uint64_t count) {
    uint64_t wanted = (uint64_t)(share * (double)count + 0.999999), seen = 0;
    for (size_t i = 0; i < sizeof histogram / sizeof *histogram; i++) {
        seen += histogram[i];
        if (seen < wanted || !seen) continue;
        unsigned shift = i < 2 * STEPS ? 0 : (unsigned)(i / STEPS) - 1;
        double low = (double)((uint64_t)(i - (size_t)shift * STEPS) << shift);
        double middle = low + (double)(1ULL << shift) / 2;
        return (middle < (double)latency_max_ns ? middle : (double)latency_max_ns) / 1000;
    }
    return 0;
}

/* ---- connections --------------------------------------------------------------------- */

enum state { WORKING, PROBED, QUIET, GONE };

struct slot {
    uint64_t sent_ns;
    uint32_t request;
};

struct connection {
    int fd;
    enum state state;
    bool wants_to_write;
    unsigned first_slot, outstanding; /* replies come in order, so the slots are a ring */
    struct slot *slots;
    char *out;
    size_t out_start, out_end;
    unsigned kept;
    char *reply; /* the part of a reply line that has come so far */
};

static struct connection *workers, *idlers;
static int epoll_fd;
static uint64_t issued, acknowledged_total, counted, errors, lost, sample_count;
static unsigned idle_opened, idle_pending, idle_served, idle_refused, idle_lost;
static unsigned idle_answered_after;
static uint64_t begin_ns, count_from_ns, count_until_ns, last_reply_ns;
static bool stop_issuing;
static char samples[SAMPLES_MAX][REPLY_KEPT_BYTES + 1];
static FILE *replies;
static char input[READ_BYTES];

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static double own_cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void raise_file_limit(void) {
    struct rlimit limit;
    uint64_t needed = (uint64_t)settings.connections + settings.idle_connections + 16;
    if (getrlimit(RLIMIT_NOFILE, &limit)) die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit)) die("setrlimit");
    errno = 0;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
        die("the hard limit of open files (ulimit -Hn) is too low for so many connections");
}

/* A blocking connect: on Linux SO_SNDTIMEO bounds it, and the order stays simple. */
static int connect_once(unsigned index) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {CONNECT_TIMEOUT_S, 0};
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bool loopback = (ntohl(settings.target.sin_addr.s_addr) >> 24) == 127;
    if (loopback && index >= CONNECTIONS_PER_SOURCE) {
        struct sockaddr_in source = {.sin_family = AF_INET};
        source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index / CONNECTIONS_PER_SOURCE);
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&source, sizeof source)) goto failed;
    }
    if (connect(fd, (struct sockaddr *)&settings.target, sizeof settings.target)) goto failed;
    if (fcntl(fd, F_SETFL, O_NONBLOCK)) goto failed;
    return fd;
failed:
    close(fd);
    return -1;
}

static void watch(struct connection *c, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (c->wants_to_write ? EPOLLOUT : 0)};
    event.data.ptr = c;
    if (epoll_ctl(epoll_fd, operation, c->fd, &event)) die("epoll_ctl");
}

static void drop(struct connection *c) {
    if (c->state == WORKING) lost++;
    else if (c->state == PROBED) idle_pending--, idle_refused++;
    else if (c->state == QUIET) idle_lost++;
    c->state = GONE;
    close(c->fd);
}

static void flush(struct connection *c) {
    ssize_t sent = send(c->fd, c->out + c->out_start, c->out_end - c->out_start, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        drop(c);
        return;
    }
    if (sent > 0) c->out_start += (size_t)sent;
    bool unsent = c->out_start < c->out_end;
    if (!unsent) c->out_start = c->out_end = 0;
    if (unsent != c->wants_to_write) {
        c->wants_to_write = unsent;
        watch(c, EPOLL_CTL_MOD);
    }
}

/* Fills every free slot and sends all of it at once, as a pipelining client would. */
static void issue(struct connection *c) {
    if (stop_issuing || c->outstanding == settings.in_flight) return;
    if (c->out_start) {
        memmove(c->out, c->out + c->out_start, c->out_end - c->out_start);
        c->out_end -= c->out_start;
        c->out_start = 0;
    }
    uint64_t sent_ns = now_ns();
    while (c->outstanding < settings.in_flight) {
        if (settings.requests_max && issued == settings.requests_max) {
            stop_issuing = true;
            break;
        }
        unsigned at = c->first_slot + c->outstanding++;
        if (at >= settings.in_flight) at -= settings.in_flight;
        uint32_t chosen = next_request();
        c->slots[at] = (struct slot){sent_ns, chosen};
        memcpy(c->out + c->out_end, requests[chosen].bytes, requests[chosen].length);
        c->out_end += requests[chosen].length;
        issued++;
    }
    if (c->out_end > c->out_start) flush(c);
}

/* ---- replies ------------------------------------------------------------------------- */

static void count_error(const struct connection *c) {
    errors++;
    for (uint64_t i = 0; i < sample_count; i++)
        if (!strncmp(samples[i], c->reply, c->kept) && !samples[i][c->kept]) return;
    if (sample_count < SAMPLES_MAX) memcpy(samples[sample_count++], c->reply, c->kept);
}

static bool is_right(const struct request *r, const char *reply, unsigned length) {
    if (length < r->expected_length || memcmp(reply, r->expected, r->expected_length)) return false;
    if (length == r->expected_length) return true;
    /* `AB 5` may follow `AB `, but `ADX` or `AD 5` is no answer to a deposit. */
    if (r->expected_whole) return false;
    return r->expected[r->expected_length - 1] == ' ' || settings.resp ||
           reply[r->expected_length] == ' ';
}

static void take_reply(struct connection *c, uint64_t at_ns) {
    while (c->kept && strchr("\r ", c->reply[c->kept - 1])) c->kept--;
    if (c->state != WORKING) {
        bool fine = c->state == PROBED && c->kept > 2 &&
                    !memcmp(c->reply, settings.resp ? "+PO" : "BC ", 3);
        if (!fine) {
            count_error(c);
            drop(c);
            return;
        }
        idle_pending--;
        idle_served++;
        c->state = QUIET;
    } else if (!c->outstanding) {
        count_error(c); /* a line that nobody asked for */
    } else {
        struct slot slot = c->slots[c->first_slot];
        c->first_slot = c->first_slot + 1 == settings.in_flight ? 0 : c->first_slot + 1;
        c->outstanding--;
        last_reply_ns = at_ns;
        const struct request *r = &requests[slot.request];
        if (!is_right(r, c->reply, c->kept)) {
            count_error(c);
        } else {
            acknowledged_total++;
            if (at_ns >= count_from_ns && at_ns <= count_until_ns) {
                counted++;
                record_latency(at_ns - slot.sent_ns);
            }
            if (replies && c->kept > 3)
                fprintf(replies, "%.*s\n", (int)c->kept - 3, c->reply + 3);
        }
    }
    c->kept = 0;
}

static void take_input(struct connection *c) {
    ssize_t got = recv(c->fd, input, sizeof input, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        drop(c);
        return;
    }
    uint64_t at_ns = now_ns();
    const char *p = input, *end = input + got;
    while (p < end && c->state != GONE) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        size_t piece = (size_t)((line_end ? line_end : end) - p);
        size_t room = REPLY_KEPT_BYTES - c->kept, taken = piece < room ? piece : room;
        memcpy(c->reply + c->kept, p, taken);
        c->kept += (unsigned)taken;
        p += piece;
        if (!line_end) break;
        p++;
        take_reply(c, at_ns);
    }
}

static void handle_events(int timeout_ms) {
    struct epoll_event events[EVENTS_MAX];
    int ready = epoll_wait(epoll_fd, events, EVENTS_MAX, timeout_ms);
    for (int i = 0; i < ready; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->state == GONE) continue;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) take_input(c);
        if (c->state == WORKING && (events[i].events & EPOLLOUT)) flush(c);
        if (c->state == WORKING) issue(c);
    }
}

/* ---- the idle connections --------------------------------------------------------------- */

/* The kernel accepts for a busy server; only an answer proves that the node took us in. */
static void probe(struct connection *c) {
    const char *word = settings.resp ? "*1\r\n$4\r\nPING\r\n" : "BC\r\n";
    c->state = PROBED;
    idle_pending++;
    if (send(c->fd, word, strlen(word), MSG_NOSIGNAL) != (ssize_t)strlen(word)) drop(c);
}

static void await_probes(unsigned pending_max, uint64_t deadline_ns) {
    while (idle_pending > pending_max && now_ns() < deadline_ns) handle_events(100);
}

static void open_idle_connections(void) {
    uint64_t deadline_ns = now_ns() + IDLE_OPEN_TIMEOUT_S * NS_PER_S;
    idlers = allocate(settings.idle_connections, sizeof *idlers);
    char *kept = allocate(settings.idle_connections, REPLY_KEPT_BYTES);
    while (idle_opened < settings.idle_connections && now_ns() < deadline_ns) {
        struct connection *c = &idlers[idle_opened];
        c->reply = kept + (size_t)idle_opened * REPLY_KEPT_BYTES;
        c->fd = connect_once(settings.connections + idle_opened++);
        if (c->fd < 0) {
            c->state = GONE;
            idle_refused++;
            continue;
        }
        watch(c, EPOLL_CTL_ADD);
        probe(c);
        await_probes(IDLE_PENDING_MAX - 1, deadline_ns);
    }
    await_probes(0, deadline_ns);
    idle_refused += settings.idle_connections - idle_opened + idle_pending;
}

static void probe_idle_connections_again(void) {
    uint64_t deadline_ns = now_ns() + IDLE_OPEN_TIMEOUT_S * NS_PER_S;
    unsigned served_at_opening = idle_served, refused_at_opening = idle_refused;
    idle_pending = 0;
    for (unsigned i = 0; i < idle_opened && now_ns() < deadline_ns; i++) {
        if (idlers[i].state != QUIET) continue;
        probe(&idlers[i]);
        await_probes(IDLE_PENDING_MAX - 1, deadline_ns);
    }
    await_probes(0, deadline_ns);
    idle_answered_after = idle_served - served_at_opening;
    idle_lost += idle_refused - refused_at_opening + idle_pending;
    idle_served = served_at_opening;
    idle_refused = refused_at_opening;
}

/* ---- one run ----------------------------------------------------------------------------- */

static void open_workers(void) {
    size_t out_bytes = (size_t)settings.in_flight * request_bytes_max;
    workers = allocate(settings.connections, sizeof *workers);
    for (unsigned i = 0; i < settings.connections; i++) {
        struct connection *c = &workers[i];
        c->slots = allocate(settings.in_flight, sizeof *c->slots);
        c->out = allocate(out_bytes, 1);
        c->reply = allocate(REPLY_KEPT_BYTES, 1);
        c->fd = connect_once(i);
        if (c->fd < 0) die("cannot connect");
        watch(c, EPOLL_CTL_ADD);
    }
}

static uint64_t unanswered(void) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < settings.connections; i++) sum += workers[i].outstanding;
    return sum;
}

static bool is_waiting(void) {
    for (unsigned i = 0; i < settings.connections; i++)
        if (workers[i].state != GONE && workers[i].outstanding) return true;
    return false;
}

static double measure(void) {
    double cpu_before_s = -1, cpu_after_s;
    begin_ns = now_ns();
    count_from_ns = begin_ns + (uint64_t)(settings.warmup_s * 1e9);
    count_until_ns = count_from_ns + (uint64_t)(settings.seconds * 1e9);
    for (unsigned i = 0; i < settings.connections; i++)
        if (workers[i].state == WORKING) issue(&workers[i]);
    for (uint64_t now = begin_ns; now < count_until_ns; now = now_ns()) {
        if (cpu_before_s < 0 && now >= count_from_ns) cpu_before_s = own_cpu_s();
        if (lost == settings.connections || (stop_issuing && !is_waiting())) break;
        handle_events(10);
    }
    cpu_after_s = own_cpu_s();
    stop_issuing = true;
    uint64_t deadline_ns = now_ns() + DRAIN_TIMEOUT_S * NS_PER_S;
    while (is_waiting() && now_ns() < deadline_ns) handle_events(10);
    return cpu_before_s < 0 ? 0 : cpu_after_s - cpu_before_s;
}

static void print_text(const char *text) {
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\') printf("\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f) printf("\\u%04x", *p);
        else putchar(*p);
    }
    putchar('"');
}

static void print_result(double cpu_s) {
    /* A run that ends early, by count or by loss, lasted until its last reply. */
    bool ended_early = settings.requests_max || lost == settings.connections;
    uint64_t until_ns = count_until_ns;
    if (ended_early && last_reply_ns < count_until_ns)
        until_ns = last_reply_ns > count_from_ns ? last_reply_ns : count_from_ns + 1;
    double seconds = (double)(until_ns - count_from_ns) / 1e9;
    printf("{\"command\": ");
    print_text(settings.command);
    printf(", \"connections\": %u, \"in_flight\": %u", settings.connections, settings.in_flight);
    printf(", \"requests\": %llu, \"seconds\": %.6f, \"rate\": %.1f",
           (unsigned long long)counted, seconds, (double)counted / seconds);
    printf(", \"errors\": %llu, \"lost\": %llu, \"unanswered\": %llu",
           (unsigned long long)errors, (unsigned long long)lost, (unsigned long long)unanswered());
    printf(", \"acknowledged_total\": %llu", (unsigned long long)acknowledged_total);
    printf(", \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f",
           percentile_us(0.50, counted), percentile_us(0.90, counted),
           percentile_us(0.99, counted), percentile_us(0.999, counted));
    printf(", \"max_us\": %.1f", (double)latency_max_ns / 1000);
    printf(", \"cpu_s\": %.3f, \"cpu_share\": %.3f", cpu_s, cpu_s / seconds);
    printf(", \"idle_asked\": %u, \"idle_served\": %u, \"idle_refused\": %u, \"idle_lost\": %u",
           settings.idle_connections, idle_served, idle_refused, idle_lost);
    printf(", \"idle_answered_after\": %u", idle_answered_after);
    printf(", \"error_samples\": [");
    for (uint64_t i = 0; i < sample_count; i++) {
        if (i) printf(", ");
        print_text(samples[i]);
    }
    printf("]}\n");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    read_settings(argc, argv);
    write_requests();
    raise_file_limit();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) die("epoll_create1");
    if (settings.replies_file && !(replies = fopen(settings.replies_file, "w")))
        die(settings.replies_file);
    open_workers();
    if (settings.idle_connections) open_idle_connections();
    double cpu_s = measure();
    if (settings.idle_connections) probe_idle_connections_again();
    if (replies && fclose(replies)) die(settings.replies_file);
    print_result(cpu_s);
    return 0;
}
