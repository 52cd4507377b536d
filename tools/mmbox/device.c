// SPDX-License-Identifier: GPL-2.0
/* Opens /dev/mmbox/<box>, and says why if it cannot. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "util.h"

int device_open(const char *box, struct mmbox_info *info)
{
	char *path;
	int fd;

	if (!*box || strchr(box, '/')) {
		warn("`%s' cannot be the name of a box", box);
		return -1;
	}
	path = xasprintf("/dev/mmbox/%s", box);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		warn_errno("cannot open %s%s", path,
			   errno == ENOENT ? " (is the module loaded?)" :
			   errno == EACCES ? " (this needs root)" : "");
	} else if (ioctl(fd, MMBOX_IOC_INFO, info)) {
		warn_errno("%s does not answer as a box", path);
		close(fd);
		fd = -1;
	} else if (info->version != MMBOX_UAPI_VERSION) {
		warn("%s: the module speaks version %u of its interface, this program %d",
		     path, info->version, MMBOX_UAPI_VERSION);
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}
