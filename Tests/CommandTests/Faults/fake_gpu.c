// Makes an OpenCL device a small GPU, in what it says of itself and in what it takes. For LD_PRELOAD.
//
//   WEFT_FAKE_GROUP          the largest work-group, in work-items
//   WEFT_FAKE_LOCAL          local memory, in bytes
//   WEFT_FAKE_KERNEL_GROUP   the largest group that any kernel runs in, if less than the device's
//
// It has no images and no cl_khr_fp16. A launch beyond its limits is refused with the status of a real driver.

#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL(function) __typeof__(&function) real = (__typeof__(&function))dlsym(RTLD_NEXT, #function)

static size_t limit(const char *name)
{
  const char *text = getenv(name);
  if (text == NULL) {
    fprintf(stderr, "fake_gpu: %s is not set\n", name);
    exit(70);
  }
  return strtoul(text, NULL, 10);
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info parameter, size_t size, void *value, size_t *size_back)
{
  REAL(clGetDeviceInfo);
  const cl_int status = real(device, parameter, size, value, size_back);
  if (status != CL_SUCCESS || value == NULL) return status;
  switch (parameter) {
  case CL_DEVICE_TYPE: *(cl_device_type *)value = CL_DEVICE_TYPE_GPU; break;
  case CL_DEVICE_MAX_WORK_GROUP_SIZE: *(size_t *)value = limit("WEFT_FAKE_GROUP"); break;
  case CL_DEVICE_LOCAL_MEM_SIZE: *(cl_ulong *)value = limit("WEFT_FAKE_LOCAL"); break;
  case CL_DEVICE_IMAGE_SUPPORT: *(cl_bool *)value = CL_FALSE; break;
  case CL_DEVICE_EXTENSIONS: {
    char *half = strstr(value, "cl_khr_fp16");
    if (half != NULL) memset(half, ' ', strlen("cl_khr_fp16"));
    break;
  }
  }
  return status;
}

static size_t kernel_limit(void)
{
  return limit(getenv("WEFT_FAKE_KERNEL_GROUP") != NULL ? "WEFT_FAKE_KERNEL_GROUP" : "WEFT_FAKE_GROUP");
}

cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info parameter, size_t size,
                                void *value, size_t *size_back)
{
  REAL(clGetKernelWorkGroupInfo);
  const cl_int status = real(kernel, device, parameter, size, value, size_back);
  if (status == CL_SUCCESS && value != NULL && parameter == CL_KERNEL_WORK_GROUP_SIZE) *(size_t *)value = kernel_limit();
  return status;
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait_list,
                              cl_event *event)
{
  REAL(clEnqueueNDRangeKernel);
  size_t group = 1;
  for (cl_uint d = 0; local != NULL && d < dimensions; ++d) group *= local[d];
  if (group > kernel_limit()) return CL_INVALID_WORK_GROUP_SIZE;
  cl_device_id device;
  cl_ulong used = 0;
  if (clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL) != CL_SUCCESS ||
      clGetKernelWorkGroupInfo(kernel, device, CL_KERNEL_LOCAL_MEM_SIZE, sizeof used, &used, NULL) != CL_SUCCESS)
    return CL_INVALID_KERNEL;
  if (used > limit("WEFT_FAKE_LOCAL")) return CL_OUT_OF_RESOURCES;
  return real(queue, kernel, dimensions, offset, global, local, waits, wait_list, event);
}
