/*
 * MPI for one rank of ringstrasse, in a process of its own: where MPI's library can't be loaded into the rank's process, this program,
 * which mpicc has linked with it, takes part in MPI in that rank's place. It is the rank's child, has inherited the launcher's variables
 * and files from it, and does what it says:
 *
 *   - commands come over a pipe, whole structures, in the order in which MPI is to be called;
 *   - payload lies in memory that both map, anonymous files of the parent's (memfd_create), opened as /proc/PID/fd/FD; a word before each
 *     payload says when MPI has done with it;
 *   - the first of these files is the board: how far this program has come, and what went wrong.
 *
 * No call waits for a peer but MPI_Init_thread and MPI_Finalize: requests are tested in turn. So the parent can ask for anything at any
 * time, and a dead peer holds nobody up. This program lives as long as its parent: when the pipe closes, it ends. Nobody else ends it:
 * signals to the rank's process group are for the rank to answer.
 *
 * Built by build-sidecar.ts. The numbers are those of sidecar-protocol.ts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mpi.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_FD = 3 };

enum operation { MAP = 1, SEND, RECEIVE, BROADCAST, SUM_FLOATS, SUM_DOUBLES, CANCEL, FINALIZE };

struct command {
  uint32_t operation;
  /* Rank of the peer, or of a broadcast's root. */
  int32_t peer;
  int32_t tag;
  /* The parent's file descriptor of the memory. */
  int32_t segment;
  /* Where the payload begins in that file; the word of its state lies STATE_BYTES before. Of sums: a rank's numbers, and behind them the
     place for the sums. */
  uint64_t offset;
  /* Bytes; of sums: numbers. */
  uint64_t length;
};
_Static_assert(sizeof(struct command) == 32, "the parent writes 32 bytes");

enum { STATE_BYTES = 64 };
enum state { UNDER_WAY = 0, DONE = 1 };

enum phase { STARTING = 0, READY = 1, FAILED = 2 };

/* Follows the parent's key in the first file. */
enum { BOARD_OFFSET = 64, TEXT_BYTES = 8000 };
struct board {
  _Atomic uint32_t phase;
  int32_t rank;
  int32_t size;
  /* Of the text: the library's name for itself, or what went wrong. */
  uint32_t text_length;
  char text[TEXT_BYTES];
};

struct segment {
  int fd;
  unsigned char *bytes;
  size_t size;
};

/* What MPI has begun and not ended, in the order in which it began. */
struct pending {
  int count;
  int room;
  MPI_Request *requests;
  MPI_Status *statuses;
  int *indices;
  _Atomic uint32_t **states;
  bool *cancelled;
};

/* Tests in a row without news, with a yield after each, before naps begin: about half a millisecond. */
enum { EAGER_TESTS = 300 };
enum { SHORTEST_NAP_NS = 50 * 1000, LONGEST_NAP_NS = 1000 * 1000 };
/* Taken from the pipe at once. */
enum { COMMANDS_AT_ONCE = 64 };

static pid_t parent;
static struct board *board;
static struct segment *segments;
static size_t segment_count;
static struct pending pending;

/* Leaves `format` on the board, and nothing more to do but to wait for the parent, which decides about the rank's end. */
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(board->text, TEXT_BYTES, format, arguments);
  va_end(arguments);
  board->text_length = length < 0 ? 0 : length < TEXT_BYTES ? (uint32_t)length : TEXT_BYTES - 1;
  atomic_store(&board->phase, FAILED);
  for (;;) {
    struct pollfd commands = {.fd = COMMAND_FD, .events = POLLIN};
    char ignored[4096];
    poll(&commands, 1, -1);
    if (read(COMMAND_FD, ignored, sizeof ignored) == 0) _exit(1);
  }
}

static void check(const char *call, int code) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING + 1] = "it can't say what";
  int length = 0;
  if (MPI_Error_string(code, text, &length) == MPI_SUCCESS) text[length] = '\0';
  fail("%s: %s", call, text);
}

static void *grown(void *memory, size_t count, size_t item_bytes) {
  void *larger = reallocarray(memory, count, item_bytes);
  if (larger == NULL) fail("no memory for %zu requests", count);
  return larger;
}

/* A file of the parent's, mapped as a whole; NULL with errno. */
static void *map_file(int fd, size_t *size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)parent, fd);
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return NULL;
  struct stat facts;
  void *bytes = MAP_FAILED;
  if (fstat(file, &facts) == 0) {
    *size = (size_t)facts.st_size;
    bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  const int error = errno;
  close(file);
  errno = error;
  return bytes == MAP_FAILED ? NULL : bytes;
}

static void map_segment(int fd) {
  segments = grown(segments, segment_count + 1, sizeof *segments);
  struct segment *segment = &segments[segment_count];
  segment->fd = fd;
  segment->bytes = map_file(fd, &segment->size);
  if (segment->bytes == NULL) fail("memory of process %ld can't be mapped: %s", (long)parent, strerror(errno));
  segment_count += 1;
}

/* `bytes` bytes of payload. */
static unsigned char *payload_of(const struct command *command, uint64_t bytes) {
  for (size_t i = 0; i < segment_count; i++) {
    const struct segment *segment = &segments[i];
    if (segment->fd != command->segment) continue;
    if (command->offset < STATE_BYTES || command->offset > segment->size || bytes > segment->size - command->offset) break;
    return segment->bytes + command->offset;
  }
  fail("%" PRIu64 " bytes at %" PRIu64 " of memory %d are not there", bytes, command->offset, command->segment);
}

static _Atomic uint32_t *state_of(unsigned char *payload) { return (_Atomic uint32_t *)(void *)(payload - STATE_BYTES); }

/* Where MPI is to put the next request. */
static MPI_Request *next_request(unsigned char *payload) {
  if (pending.count == pending.room) {
    pending.room = pending.room == 0 ? 64 : 2 * pending.room;
    const size_t room = (size_t)pending.room;
    pending.requests = grown(pending.requests, room, sizeof *pending.requests);
    pending.statuses = grown(pending.statuses, room, sizeof *pending.statuses);
    pending.indices = grown(pending.indices, room, sizeof *pending.indices);
    pending.states = grown(pending.states, room, sizeof *pending.states);
    pending.cancelled = grown(pending.cancelled, room, sizeof *pending.cancelled);
  }
  pending.states[pending.count] = state_of(payload);
  pending.cancelled[pending.count] = false;
  return &pending.requests[pending.count++];
}

static void cancel(unsigned char *payload) {
  for (int i = 0; i < pending.count; i++) {
    if (pending.states[i] != state_of(payload)) continue;
    check("MPI_Cancel", MPI_Cancel(&pending.requests[i]));
    pending.cancelled[i] = true;
  }
}

static void sum(const struct command *command, MPI_Datatype type, size_t number_bytes) {
  const uint64_t bytes = command->length * number_bytes;
  unsigned char *from = payload_of(command, 2 * bytes);
  unsigned char *into = from + bytes;
  MPI_Request *request = next_request(from);
  /* Not in place: all ranks must be alike in that, and those that call the library themselves have two places. */
  const int code = MPI_Iallreduce(from, into, (int)command->length, type, MPI_SUM, MPI_COMM_WORLD, request);
  check("MPI_Iallreduce", code);
}

/* Lets MPI get on, and tells the parent what is done; whether anything is. */
static bool advance(void) {
  if (pending.count == 0) return false;
  int done = 0;
  const int code = MPI_Testsome(pending.count, pending.requests, &done, pending.indices, pending.statuses);
  if (code == MPI_ERR_IN_STATUS) {
    for (int i = 0; i < done; i++) check("MPI_Testsome", pending.statuses[i].MPI_ERROR);
  } else {
    check("MPI_Testsome", code);
  }
  if (done == MPI_UNDEFINED || done == 0) return false;
  for (int i = 0; i < done; i++) {
    atomic_store_explicit(pending.states[pending.indices[i]], DONE, memory_order_release);
  }
  int kept = 0;
  for (int i = 0; i < pending.count; i++) {
    if (pending.requests[i] == MPI_REQUEST_NULL) continue;
    pending.requests[kept] = pending.requests[i];
    pending.states[kept] = pending.states[i];
    pending.cancelled[kept] = pending.cancelled[i];
    kept += 1;
  }
  pending.count = kept;
  return true;
}

static bool awaits_cancelled(void) {
  for (int i = 0; i < pending.count; i++) {
    if (pending.cancelled[i]) return true;
  }
  return false;
}

__attribute__((noreturn)) static void finalize(void) {
  /* MPI's end is no end of what was cancelled: that has to be seen, and comes without any peer. */
  while (awaits_cancelled()) advance();
  check("MPI_Finalize", MPI_Finalize());
  exit(EXIT_SUCCESS);
}

static void obey(const struct command *command) {
  if (command->length > INT_MAX) fail("MPI takes no message of %" PRIu64, command->length);
  const int length = (int)command->length;
  unsigned char *payload = NULL;
  switch ((enum operation)command->operation) {
    case MAP:
      map_segment(command->segment);
      return;
    case SEND:
      payload = payload_of(command, command->length);
      check("MPI_Isend",
            MPI_Isend(payload, length, MPI_BYTE, command->peer, command->tag, MPI_COMM_WORLD, next_request(payload)));
      return;
    case RECEIVE:
      payload = payload_of(command, command->length);
      check("MPI_Irecv",
            MPI_Irecv(payload, length, MPI_BYTE, command->peer, command->tag, MPI_COMM_WORLD, next_request(payload)));
      return;
    case BROADCAST:
      payload = payload_of(command, command->length);
      check("MPI_Ibcast", MPI_Ibcast(payload, length, MPI_BYTE, command->peer, MPI_COMM_WORLD, next_request(payload)));
      return;
    case SUM_FLOATS:
      sum(command, MPI_FLOAT, sizeof(float));
      return;
    case SUM_DOUBLES:
      sum(command, MPI_DOUBLE, sizeof(double));
      return;
    case CANCEL:
      cancel(payload_of(command, 0));
      return;
    case FINALIZE:
      finalize();
  }
  fail("there is no command %" PRIu32, command->operation);
}

/* Does what the parent has said by now; whether it has said anything. */
static bool obey_all(void) {
  static struct command commands[COMMANDS_AT_ONCE];
  /* A command is written at once, and a pipe keeps such writes whole. */
  const ssize_t got = read(COMMAND_FD, commands, sizeof commands);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    fail("commands can't be read: %s", strerror(errno));
  }
  /* The parent is gone, without MPI's end: so is the rank. */
  if (got == 0) _exit(1);
  for (size_t i = 0; i < (size_t)got / sizeof *commands; i++) obey(&commands[i]);
  return true;
}

/* Nothing has happened `idle` times in a row. A command ends any nap. */
static void rest(long idle) {
  struct pollfd commands = {.fd = COMMAND_FD, .events = POLLIN};
  if (pending.count == 0) {
    poll(&commands, 1, -1);
  } else if (idle < EAGER_TESTS) {
    /* Where cores are few, the parent or a peer gets this one. */
    sched_yield();
  } else {
    const long naps = idle - EAGER_TESTS;
    const long nap = naps >= 20 ? LONGEST_NAP_NS : SHORTEST_NAP_NS * (1 + naps);
    const struct timespec time = {.tv_nsec = nap};
    ppoll(&commands, 1, &time, NULL);
  }
}

static void ignore_signals(void) {
  const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_IGN);
}

static void begin(void) {
  int provided = 0;
  check("MPI_Init_thread", MPI_Init_thread(NULL, NULL, MPI_THREAD_SINGLE, &provided));
  check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  int rank = 0;
  int size = 0;
  check("MPI_Comm_rank", MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  check("MPI_Comm_size", MPI_Comm_size(MPI_COMM_WORLD, &size));
  static char name[MPI_MAX_LIBRARY_VERSION_STRING + 1];
  int length = 0;
  check("MPI_Get_library_version", MPI_Get_library_version(name, &length));
  board->rank = rank;
  board->size = size;
  board->text_length = length < TEXT_BYTES ? (uint32_t)length : TEXT_BYTES;
  memcpy(board->text, name, board->text_length);
  atomic_store(&board->phase, READY);
}

/* Arguments: the parent's process id, and its file descriptor of the board. */
int main(int count, char **arguments) {
  if (count != 3) {
    fputs("ringstrasse starts this program: --mpi-binding sidecar\n", stderr);
    return 2;
  }
  ignore_signals();
  parent = (pid_t)strtol(arguments[1], NULL, 10);
  /* Should the parent be gone already, the signal would never come. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) return 1;
  size_t size = 0;
  unsigned char *bytes = map_file((int)strtol(arguments[2], NULL, 10), &size);
  if (bytes == NULL || size < BOARD_OFFSET + sizeof *board) {
    fprintf(stderr, "the memory of process %s can't be mapped: %s\n", arguments[1], strerror(errno));
    return 1;
  }
  board = (struct board *)(void *)(bytes + BOARD_OFFSET);
  begin();
  for (long idle = 0;;) {
    const bool said = obey_all();
    const bool done = advance();
    idle = said || done ? 0 : idle + 1;
    if (idle > 0) rest(idle);
  }
}
