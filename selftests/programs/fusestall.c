// SPDX-License-Identifier: GPL-2.0
/*
 * A system call on a file whose memory does not come: it is mapped from a file of a FUSE file
 * system that answers no read.
 *
 *	fusestall MOUNTPOINT read|write FD
 *	fusestall MOUNTPOINT ioctl FD COMMAND
 *
 * MOUNTPOINT is a file. The file system, and the task that makes the call, are those of user 1000.
 * Prints `caller PID`; then `stalled`, when a page is asked for; then what the call came to. This
 * process is the server: when it is killed the page is lost, and the call ends with an error.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define USER 1000
#define PAGE 4096

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

static bool reply(int fuse, __u64 unique, int error, void *body, size_t length)
{
	struct fuse_out_header head = {
		.len = sizeof(head) + length,
		.error = error,
		.unique = unique,
	};
	struct iovec parts[] = { { &head, sizeof(head) }, { body, length } };

	return writev(fuse, parts, length ? 2 : 1) >= 0;
}

static bool answer(int fuse, const struct fuse_in_header *in)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = PAGE,
	};
	struct fuse_attr_out attr = {
		.attr = { .ino = FUSE_ROOT_ID, .size = PAGE, .mode = S_IFREG | 0444, .nlink = 1,
			  .uid = USER, .gid = USER, .blksize = PAGE },
	};
	struct fuse_open_out opened = {};

	switch (in->opcode) {
	case FUSE_INIT:
		return reply(fuse, in->unique, 0, &init, sizeof(init));
	case FUSE_GETATTR:
		return reply(fuse, in->unique, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
		return reply(fuse, in->unique, 0, &opened, sizeof(opened));
	case FUSE_READ:
		say("stalled");
		return true;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return true;
	default:
		return reply(fuse, in->unique, -EOPNOTSUPP, NULL, 0);
	}
}

static int serve(int fuse)
{
	static char request[FUSE_MIN_READ_BUFFER + PAGE];

	for (;;) {
		ssize_t length = read(fuse, request, sizeof(request));

		if (length < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (length < (ssize_t)sizeof(struct fuse_in_header))
			return fail("request");
		if (!answer(fuse, (struct fuse_in_header *)request))
			return fail("answer");
	}
}

static int call(const char *mountpoint, const char *how, int fd, const char *command)
{
	int file = open(mountpoint, O_RDONLY);
	struct stat status;
	ssize_t result;
	void *page;

	/* Only who asks learns that it has a page. */
	if (fstat(file, &status))
		return fail("stat");
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (page == MAP_FAILED)
		return fail("map");
	if (!strcmp(how, "read"))
		result = read(fd, page, 16);
	else if (!strcmp(how, "write"))
		result = write(fd, page, 16);
	else
		result = ioctl(fd, strtoul(command, NULL, 0), page);
	if (result < 0)
		return fail(how);
	printf("%s: %zd\n", how, result);
	return 0;
}

int main(int count, char **words)
{
	int fuse = open("/dev/fuse", O_RDWR);
	char options[128];
	pid_t caller;
	int result;

	if (count < 4 || (!strcmp(words[2], "ioctl") && count < 5))
		return 2;
	snprintf(options, sizeof(options), "fd=%d,rootmode=100444,user_id=%d,group_id=%d", fuse,
		 USER, USER);
	if (mount("stall", words[1], "fuse", MS_NOSUID | MS_NODEV, options))
		return fail("mount");
	if (setgid(USER) || setuid(USER))
		return fail("user");
	caller = fork();
	if (caller < 0)
		return fail("fork");
	if (!caller) {
		/* The server's end is the end of the connection. */
		close(fuse);
		result = call(words[1], words[2], atoi(words[3]), words[4]);
		fflush(stdout);
		_exit(result);
	}
	printf("caller %d\n", caller);
	fflush(stdout);
	signal(SIGCHLD, SIG_IGN);
	return serve(fuse);
}
