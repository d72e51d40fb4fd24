// Stands between a program and the OpenCL loader, and makes chosen calls fail. Compile with
// `clang -shared -fPIC opencl_faults.c -o opencl_faults.so` and preload it (LD_PRELOAD).
//
//   WEFT_FAULT=call:which:status[,...]    The call returns the status and does nothing else. `which` is an occurrence
//                                         counted from 1, `n+` for the n-th and all after it, or 0 for all.
//   WEFT_FAULT_CALLBACK=kind[:which]      What becomes of event callbacks: `drop` (never called), `late` (called 200 ms
//                                         later, from a thread), `failed` (told the status of WEFT_FAULT_STATUS, -5 if
//                                         unset), `twice`.
//   WEFT_FAULT_REPORT=path                At exit, a line `call NAME calls faults` for each call that was made, and a
//                                         line `object KIND references-made references-released` for each kind.

#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One of the interposed calls. Points are linked when they are first passed.
struct point {
  const char *name;
  atomic_long calls, faults;
  _Atomic(void *) real;
  struct point *next;
};

struct rule {
  char call[48];
  long which;
  int onwards;
  cl_int status;
};

enum object { CONTEXT, QUEUE, MEMORY, PROGRAM, KERNEL, EVENT, OBJECTS };
static const char *const object_names[OBJECTS] = {"context", "queue", "buffer", "program", "kernel", "event"};
static atomic_long made[OBJECTS], released[OBJECTS];

static _Atomic(struct point *) points;
static struct rule rules[16];
static int rule_count;
static struct rule callback_rule;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void parse_which(const char *text, struct rule *rule)
{
  char *end;
  rule->which = strtol(text, &end, 10);
  rule->onwards = *end == '+';
}

static void read_rules(void)
{
  const char *text = getenv("WEFT_FAULT");
  while (text && *text && rule_count < 16) {
    struct rule *rule = &rules[rule_count];
    char which[16];
    if (sscanf(text, "%47[^:]:%15[^:]:%d", rule->call, which, &rule->status) != 3) {
      fprintf(stderr, "opencl_faults: WEFT_FAULT is not call:which:status at '%s'\n", text);
      _exit(99);
    }
    parse_which(which, rule);
    ++rule_count;
    text = strchr(text, ',');
    if (text) ++text;
  }
  text = getenv("WEFT_FAULT_CALLBACK");
  if (text) {
    const char *colon = strchr(text, ':');
    snprintf(callback_rule.call, sizeof callback_rule.call, "%.*s", colon ? (int)(colon - text) : 40, text);
    if (colon) parse_which(colon + 1, &callback_rule);
    callback_rule.status = getenv("WEFT_FAULT_STATUS") ? atoi(getenv("WEFT_FAULT_STATUS")) : CL_OUT_OF_RESOURCES;
  }
}

static int is_met(const struct rule *rule, long count)
{
  return rule->which == 0 || count == rule->which || (rule->onwards && count > rule->which);
}

// The status that this call must return; CL_SUCCESS to make it.
static cl_int pass(struct point *point)
{
  pthread_once(&once, read_rules);
  const long count = atomic_fetch_add(&point->calls, 1) + 1;
  if (count == 1) {
    point->next = atomic_load(&points);
    while (!atomic_compare_exchange_weak(&points, &point->next, point)) {}
  }
  for (int k = 0; k < rule_count; ++k)
    if (!strcmp(rules[k].call, point->name) && is_met(&rules[k], count)) {
      atomic_fetch_add(&point->faults, 1);
      return rules[k].status;
    }
  return CL_SUCCESS;
}

static void *real(struct point *point)
{
  void *address = atomic_load(&point->real);
  if (!address) {
    address = dlsym(RTLD_NEXT, point->name);
    if (!address) {
      fprintf(stderr, "opencl_faults: there is no %s\n", point->name);
      _exit(99);
    }
    atomic_store(&point->real, address);
  }
  return address;
}

#define POINT(call) static struct point point = {.name = #call}
#define REAL(name) ((__typeof__(&name))real(&point))

// Calls that return a status.
#define STATUS(name, parameters, arguments) \
  cl_int name parameters \
  { \
    POINT(name); \
    const cl_int fault = pass(&point); \
    return fault ? fault : REAL(name) arguments; \
  }

// Calls that return an object and their status through `status`.
#define CREATE(type, object, name, parameters, arguments) \
  type name parameters \
  { \
    POINT(name); \
    const cl_int fault = pass(&point); \
    if (fault) { \
      if (status) *status = fault; \
      return NULL; \
    } \
    type result = REAL(name) arguments; \
    if (result) atomic_fetch_add(&made[object], 1); \
    return result; \
  }

#define RETAIN(object, name, type) COUNT(made, object, name, type)
#define RELEASE(object, name, type) COUNT(released, object, name, type)
#define COUNT(counter, object, name, type) \
  cl_int name(type it) \
  { \
    POINT(name); \
    const cl_int fault = pass(&point); \
    if (fault) return fault; \
    const cl_int status = REAL(name)(it); \
    if (status == CL_SUCCESS) atomic_fetch_add(&counter[object], 1); \
    return status; \
  }

// Calls that enqueue a command and may hand out an event. WAITING: the end of every parameter list.
#define WAITING cl_uint count, const cl_event *list, cl_event *event
#define ENQUEUE(name, parameters, arguments) \
  cl_int name parameters \
  { \
    POINT(name); \
    const cl_int fault = pass(&point); \
    if (fault) return fault; \
    const cl_int status = REAL(name) arguments; \
    if (status == CL_SUCCESS && event) atomic_fetch_add(&made[EVENT], 1); \
    return status; \
  }

#define QUERY(name, object, parameter) \
  STATUS(name, (object it, parameter what, size_t size, void *value, size_t *needed), (it, what, size, value, needed))

STATUS(clGetPlatformIDs, (cl_uint n, cl_platform_id *list, cl_uint *found), (n, list, found))
STATUS(clGetDeviceIDs, (cl_platform_id platform, cl_device_type type, cl_uint n, cl_device_id *list, cl_uint *found),
       (platform, type, n, list, found))
QUERY(clGetPlatformInfo, cl_platform_id, cl_platform_info)
QUERY(clGetDeviceInfo, cl_device_id, cl_device_info)
QUERY(clGetProgramInfo, cl_program, cl_program_info)
QUERY(clGetKernelInfo, cl_kernel, cl_kernel_info)
QUERY(clGetEventInfo, cl_event, cl_event_info)
QUERY(clGetEventProfilingInfo, cl_event, cl_profiling_info)
STATUS(clGetProgramBuildInfo,
       (cl_program it, cl_device_id device, cl_program_build_info what, size_t size, void *value, size_t *needed),
       (it, device, what, size, value, needed))
STATUS(clGetKernelWorkGroupInfo,
       (cl_kernel it, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *value, size_t *needed),
       (it, device, what, size, value, needed))
STATUS(clGetKernelArgInfo,
       (cl_kernel it, cl_uint index, cl_kernel_arg_info what, size_t size, void *value, size_t *needed),
       (it, index, what, size, value, needed))

CREATE(cl_context, CONTEXT, clCreateContext,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
        void (*notify)(const char *, const void *, size_t, void *), void *data, cl_int *status),
       (properties, n, devices, notify, data, status))
CREATE(cl_command_queue, QUEUE, clCreateCommandQueue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *status),
       (context, device, properties, status))
CREATE(cl_mem, MEMORY, clCreateBuffer,
       (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *status),
       (context, flags, size, host, status))
CREATE(cl_program, PROGRAM, clCreateProgramWithSource,
       (cl_context context, cl_uint n, const char **texts, const size_t *lengths, cl_int *status),
       (context, n, texts, lengths, status))
CREATE(cl_program, PROGRAM, clCreateProgramWithBinary,
       (cl_context context, cl_uint n, const cl_device_id *devices, const size_t *lengths,
        const unsigned char **binaries, cl_int *verdicts, cl_int *status),
       (context, n, devices, lengths, binaries, verdicts, status))
CREATE(cl_kernel, KERNEL, clCreateKernel, (cl_program program, const char *kernel, cl_int *status),
       (program, kernel, status))
CREATE(cl_event, EVENT, clCreateUserEvent, (cl_context context, cl_int *status), (context, status))

STATUS(clBuildProgram,
       (cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
        void (*notify)(cl_program, void *), void *data),
       (program, n, devices, options, notify, data))
STATUS(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, value))
STATUS(clSetUserEventStatus, (cl_event event, cl_int value), (event, value))
STATUS(clFlush, (cl_command_queue queue), (queue))
STATUS(clFinish, (cl_command_queue queue), (queue))
STATUS(clWaitForEvents, (cl_uint n, const cl_event *events), (n, events))

ENQUEUE(clEnqueueNDRangeKernel,
        (cl_command_queue queue, cl_kernel kernel, cl_uint n, const size_t *offset, const size_t *global,
         const size_t *local, WAITING),
        (queue, kernel, n, offset, global, local, count, list, event))
ENQUEUE(clEnqueueReadBuffer,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t offset, size_t size, void *host, WAITING),
        (queue, buffer, blocks, offset, size, host, count, list, event))
ENQUEUE(clEnqueueWriteBuffer,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t offset, size_t size, const void *host, WAITING),
        (queue, buffer, blocks, offset, size, host, count, list, event))
ENQUEUE(clEnqueueCopyBuffer,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size, WAITING),
        (queue, from, to, from_offset, to_offset, size, count, list, event))
ENQUEUE(clEnqueueFillBuffer,
        (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t width, size_t offset, size_t size, WAITING),
        (queue, buffer, pattern, width, offset, size, count, list, event))
ENQUEUE(clEnqueueMarkerWithWaitList, (cl_command_queue queue, WAITING), (queue, count, list, event))
ENQUEUE(clEnqueueUnmapMemObject, (cl_command_queue queue, cl_mem buffer, void *mapped, WAITING),
        (queue, buffer, mapped, count, list, event))

void *clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocks, cl_map_flags access, size_t offset,
                         size_t size, WAITING, cl_int *status)
{
  POINT(clEnqueueMapBuffer);
  const cl_int fault = pass(&point);
  if (fault) {
    if (status) *status = fault;
    return NULL;
  }
  void *result = REAL(clEnqueueMapBuffer)(queue, buffer, blocks, access, offset, size, count, list, event, status);
  if (result && event) atomic_fetch_add(&made[EVENT], 1);
  return result;
}

RETAIN(CONTEXT, clRetainContext, cl_context)
RETAIN(QUEUE, clRetainCommandQueue, cl_command_queue)
RETAIN(MEMORY, clRetainMemObject, cl_mem)
RETAIN(PROGRAM, clRetainProgram, cl_program)
RETAIN(KERNEL, clRetainKernel, cl_kernel)
RETAIN(EVENT, clRetainEvent, cl_event)
RELEASE(CONTEXT, clReleaseContext, cl_context)
RELEASE(QUEUE, clReleaseCommandQueue, cl_command_queue)
RELEASE(MEMORY, clReleaseMemObject, cl_mem)
RELEASE(PROGRAM, clReleaseProgram, cl_program)
RELEASE(KERNEL, clReleaseKernel, cl_kernel)
RELEASE(EVENT, clReleaseEvent, cl_event)

// A callback as the program asked for it.
struct callback {
  void (*function)(cl_event, cl_int, void *);
  void *data;
  cl_event event;
  cl_int status;
  long number;
};

static void *call_late(void *data)
{
  struct callback *callback = data;
  usleep(200 * 1000);
  callback->function(callback->event, callback->status, callback->data);
  free(callback);
  return NULL;
}

static void call_back(cl_event event, cl_int status, void *data)
{
  struct callback *callback = data;
  const char *kind = callback_rule.call;
  if (!*kind || !is_met(&callback_rule, callback->number)) kind = "";
  if (!strcmp(kind, "drop")) {
    free(callback);
  } else if (!strcmp(kind, "late")) {
    // The event may be gone by then, as the program has been told nothing that would keep it.
    callback->event = event;
    callback->status = status;
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_late, callback) == 0) pthread_detach(thread);
  } else {
    if (!strcmp(kind, "failed")) status = callback_rule.status;
    if (!strcmp(kind, "twice")) callback->function(event, status, callback->data);
    callback->function(event, status, callback->data);
    free(callback);
  }
}

cl_int clSetEventCallback(cl_event event, cl_int type, void (*function)(cl_event, cl_int, void *), void *data)
{
  POINT(clSetEventCallback);
  const cl_int fault = pass(&point);
  if (fault) return fault;
  struct callback *callback = malloc(sizeof *callback);
  if (!callback) return CL_OUT_OF_HOST_MEMORY;
  callback->function = function;
  callback->data = data;
  callback->number = atomic_load(&point.calls);
  const cl_int status = REAL(clSetEventCallback)(event, type, call_back, callback);
  if (status != CL_SUCCESS) free(callback);
  return status;
}

__attribute__((destructor)) static void report(void)
{
  const char *path = getenv("WEFT_FAULT_REPORT");
  FILE *file = path && atomic_load(&points) ? fopen(path, "w") : NULL;
  if (!file) return;
  for (struct point *point = atomic_load(&points); point; point = point->next)
    fprintf(file, "call %s %ld %ld\n", point->name, atomic_load(&point->calls), atomic_load(&point->faults));
  for (int k = 0; k < OBJECTS; ++k)
    fprintf(file, "object %s %ld %ld\n", object_names[k], atomic_load(&made[k]), atomic_load(&released[k]));
  fclose(file);
}
