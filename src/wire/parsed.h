/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parsed: what a parser of outside bytes says about them. */
#pragma once

enum parsed {
    PARSED_DONE, /* it is all here and was read */
    PARSED_MORE, /* good so far; more bytes are needed */
    PARSED_ODD,  /* not this format, or a form of it that we do not take */
};
