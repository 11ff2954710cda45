// SPDX-License-Identifier: GPL-2.0
/* The front's disks once more, for the RAM disk that is without Molt. */

#include "../../rust/front/block.c"
