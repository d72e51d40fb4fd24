// LAPACK's and BLAS's C interfaces. What to link comes from pkg-config.
#ifndef WEFT_CLAPACKE_SHIM_H
#define WEFT_CLAPACKE_SHIM_H

#include <cblas.h>
#include <lapacke.h>

#endif
