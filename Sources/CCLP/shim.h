// CLP's C interface. What to link comes from pkg-config.
#ifndef WEFT_CCLP_SHIM_H
#define WEFT_CCLP_SHIM_H

#include <Clp_C_Interface.h>

#endif
