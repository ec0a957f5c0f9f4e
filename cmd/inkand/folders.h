/*
 * folders.h - whose the folders of the house are.
 *
 * Depends on: base, edge/log. Touches: the house's folders, as root.
 *
 * Only the role that writes a folder owns it; after a restore, or at a first start as root, everything in it is given
 * to that role.  Who was captured on an earlier day may still write there: a name is looked up once, opened without
 * following a link, and what is given away is what was opened.
 */
#ifndef CMD_INKAND_FOLDERS_H
#define CMD_INKAND_FOLDERS_H

#include <stdint.h>

#include "base/base.h"

#define STATUS_USER 5          /* 4, the issuer's, in a house whose status keys lie in the issuer's token */
#define FOLDERS_DEPTH_MAX 64U /* answers as files: a step for each "/" of a request's base64              */

/* ERR_POLICY inkand-home: what stands in this folder is executed and obeyed as root, so nobody else may write it. */
err folders_check_home(const char *home) CHECKED;
/*
 * Makes what is missing; with a user_base gives each its owner.  Links and what is no file stay as they are.  ERR_WORLD
 * inkand-folder; ERR_POLICY inkand-hard-link: a file that is not the role's has a second name, which may be elsewhere.
 * Folders deeper than FOLDERS_DEPTH_MAX are passed over with an alarm, inkand-depth.
 */
err folders_make(const char *home, uint32_t user_base, unsigned status_user) CHECKED;

#endif
