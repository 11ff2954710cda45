// SPDX-License-Identifier: GPL-2.0
/*
 * What a shell cannot do with a file that it has open:
 *
 *	fileop ioctl FD COMMAND [NUMBER]	prints the result and the number; `bad` stands for
 *						memory that is not there
 *	fileop poll FD MILLISECONDS		prints `in`, `out`, both, or nothing;
 *						a negative number waits for `in` only
 *	fileop map FD				maps a page; then for each line of the input:
 *						`put N` writes its first byte, `get` prints it
 *
 *	fileop insert FILE [PARAMETERS]		a module, once: busybox tries again where
 *						it fails
 *
 *	fileop replace FILE TEXT MODULE		writes the text and then removes the module, with
 *						no other task between that is not real-time
 *
 *	fileop stall read|write FD		into or from a page that never comes
 *	fileop stall ioctl FD COMMAND		the same, with the argument there
 *
 * An error is printed by name and is status 1.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(void)
{
	puts(strerrorname_np(errno));
	return 1;
}

static int control(int fd, unsigned long command, const char *number)
{
	int value = number ? atoi(number) : 0;
	bool is_bad = number && !strcmp(number, "bad");
	int result = ioctl(fd, command, is_bad ? (void *)16 : &value);

	if (result < 0)
		return fail();
	printf("%d %d\n", result, value);
	return 0;
}

static int events(int fd, int milliseconds)
{
	struct pollfd file = { .fd = fd, .events = POLLIN | POLLOUT };

	if (milliseconds < 0)
		file.events = POLLIN;
	if (poll(&file, 1, abs(milliseconds)) < 0)
		return fail();
	printf("%s%s\n", file.revents & POLLIN ? "in " : "", file.revents & POLLOUT ? "out" : "");
	return 0;
}

static int map(int fd)
{
	unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char line[32];

	if (page == MAP_FAILED)
		return fail();
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "put ", 4))
			__atomic_store_n(page, atoi(line + 4), __ATOMIC_RELAXED);
		else
			printf("%d\n", __atomic_load_n(page, __ATOMIC_RELAXED));
		fflush(stdout);
	}
	return 0;
}

static int insert(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0))
		return fail();
	return 0;
}

static int replace(const char *path, const char *text, const char *module)
{
	const struct sched_param first = { .sched_priority = 50 };
	int fd = open(path, O_WRONLY);

	if (fd < 0 || sched_setscheduler(0, SCHED_FIFO, &first) ||
	    write(fd, text, strlen(text)) < 0 || syscall(SYS_delete_module, module, O_NONBLOCK))
		return fail();
	return 0;
}

/* A page whose first user waits until somebody brings it, which nobody does. */
static void *stalled_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (unsigned long)page, .len = 4096 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, 0);

	if (page == MAP_FAILED || uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range))
		return NULL;
	return page;
}

static int stall(const char *how, int fd, const char *command)
{
	void *page = stalled_page();
	ssize_t result = -1;

	if (page && !strcmp(how, "read"))
		result = read(fd, page, 16);
	else if (page && !strcmp(how, "write"))
		result = write(fd, page, 16);
	else if (page && command)
		result = ioctl(fd, strtoul(command, NULL, 0), page);
	if (result < 0)
		return fail();
	printf("%zd\n", result);
	return 0;
}

int main(int count, char **words)
{
	if (count >= 4 && !strcmp(words[1], "stall"))
		return stall(words[2], atoi(words[3]), words[4]);
	if (count >= 4 && !strcmp(words[1], "ioctl"))
		return control(atoi(words[2]), strtoul(words[3], NULL, 0), words[4]);
	if (count == 4 && !strcmp(words[1], "poll"))
		return events(atoi(words[2]), atoi(words[3]));
	if (count == 3 && !strcmp(words[1], "map"))
		return map(atoi(words[2]));
	if (count >= 3 && !strcmp(words[1], "insert"))
		return insert(words[2], count > 3 ? words[3] : "");
	if (count == 5 && !strcmp(words[1], "replace"))
		return replace(words[2], words[3], words[4]);
	return 2;
}
