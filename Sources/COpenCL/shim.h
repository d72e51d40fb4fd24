// OpenCL 1.2 and nothing newer: a call that a 1.2 driver lacks must not compile.
#ifndef WEFT_COPENCL_SHIM_H
#define WEFT_COPENCL_SHIM_H

#define CL_TARGET_OPENCL_VERSION 120

#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

#endif
