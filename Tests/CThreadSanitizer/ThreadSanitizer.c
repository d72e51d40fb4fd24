// Tells ThreadSanitizer, on Linux, of the ways in which Swift's libraries order threads. They are not instrumented, so
// without this it reports what they order as races:
//
//   tasks          The runtime tells the sanitizer itself when a task goes from thread to thread. It looks for the
//                  functions by name when it starts, and does not find them: they are in the program, which does not
//                  export them. Here it is given them.
//   continuations  One that is resumed before its task awaits it is released by the runtime, but not acquired. Here each
//                  is acquired when its task goes on.
//   Mutex          Code of Synchronization.Mutex is put into its callers, and so instrumented, except where a thread
//                  waits and where the kernel hands the mutex over. Here these acquire and release it too.
//
// In other builds, and elsewhere, the file is empty.

#if defined(__has_feature) && defined(__linux__)
#if __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// What stands here must order nothing else in the sanitizer's eyes.
#define UNSEEN __attribute__((disable_sanitizer_instrumentation))

UNSEEN static void *next_function(const char *name)
{
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL) {
    fprintf(stderr, "%s is not in Swift's libraries: Tests/CThreadSanitizer must follow them\n", name);
    abort();
  }
  return function;
}

// Tasks.

extern bool _swift_tsan_enabled;
extern void (*_swift_tsan_acquire)(void *address);
extern void (*_swift_tsan_release)(void *address);

__attribute__((constructor)) static void tell_runtime(void)
{
  _swift_tsan_acquire = __tsan_acquire;
  _swift_tsan_release = __tsan_release;
  _swift_tsan_enabled = true;
}

// Continuations. The runtime calls the context's function when the task goes on, whether it waited or not: another stands
// in for it, which acquires the task and calls it. The runtime releases a task by its own address.

typedef struct async_context async_context;
typedef __attribute__((swiftasynccall)) void resume_function(__attribute__((swift_async_context)) async_context *context);
struct async_context {
  async_context *parent;
  resume_function *resume;
};

void *swift_task_getCurrent(void) __attribute__((swiftcall));

// Those that are awaited, in no order.
enum { AWAITED_MOST = 1 << 14 };
static struct {
  async_context *context;
  resume_function *resume;
} awaited[AWAITED_MOST];
static unsigned awaited_count;
static char awaited_lock;

UNSEEN static void lock_awaited(void)
{
  while (__atomic_test_and_set(&awaited_lock, __ATOMIC_ACQUIRE)) {}
}

UNSEEN static void unlock_awaited(void) { __atomic_clear(&awaited_lock, __ATOMIC_RELEASE); }

UNSEEN static void remember(async_context *context, resume_function *resume)
{
  lock_awaited();
  if (awaited_count == AWAITED_MOST) {
    fputs("more continuations are awaited at a time than Tests/CThreadSanitizer has room for\n", stderr);
    abort();
  }
  awaited[awaited_count].context = context;
  awaited[awaited_count].resume = resume;
  ++awaited_count;
  unlock_awaited();
}

UNSEEN static resume_function *recall(const async_context *context)
{
  lock_awaited();
  unsigned place = 0;
  while (place < awaited_count && awaited[place].context != context) ++place;
  if (place == awaited_count) {
    fputs("a continuation goes on that no one awaited: Tests/CThreadSanitizer must follow the runtime\n", stderr);
    abort();
  }
  resume_function *resume = awaited[place].resume;
  awaited[place] = awaited[--awaited_count];
  unlock_awaited();
  return resume;
}

UNSEEN __attribute__((swiftasynccall)) static void go_on(__attribute__((swift_async_context)) async_context *context)
{
  resume_function *resume = recall(context);
  context->resume = resume;
  __tsan_acquire(swift_task_getCurrent());
  __attribute__((musttail)) return resume(context);
}

typedef __attribute__((swiftasynccall)) void await_function(async_context *context);

UNSEEN __attribute__((swiftasynccall)) void swift_continuation_await(async_context *context)
{
  await_function *await = (await_function *)next_function("swift_continuation_await");
  remember(context, context->resume);
  context->resume = go_on;
  __attribute__((musttail)) return await(context);
}

// Mutex: Synchronization._MutexHandle._lockSlow(_: UInt32) and ._unlockSlow(), where the kernel hands the mutex over.

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef __attribute__((swiftcall)) void lock_function(uint32_t thread, __attribute__((swift_context)) void *mutex);
typedef __attribute__((swiftcall)) void unlock_function(__attribute__((swift_context)) void *mutex);

__attribute__((swiftcall)) void lock_slowly(uint32_t thread, __attribute__((swift_context)) void *mutex) __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void unlock_slowly(__attribute__((swift_context)) void *mutex) __asm__(UNLOCK_SLOW);

UNSEEN __attribute__((swiftcall)) void lock_slowly(uint32_t thread, __attribute__((swift_context)) void *mutex)
{
  ((lock_function *)next_function(LOCK_SLOW))(thread, mutex);
  __tsan_acquire(mutex);
}

UNSEEN __attribute__((swiftcall)) void unlock_slowly(__attribute__((swift_context)) void *mutex)
{
  __tsan_release(mutex);
  ((unlock_function *)next_function(UNLOCK_SLOW))(mutex);
}

#endif
#endif
