// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a request again and again, and has one step fail each time: the first, the second, and
 * so on, until none is left. After each the class has to be whole.
 *
 *	faultpoints [-s STEP] FILE REQUEST [WITNESS[:PREFIX]]...
 *	faultpoints -n FILE REQUEST BACK [WITNESS[:PREFIX]]...
 *
 * FILE is one in the directory of a class. Steps are those that Molt's parameter `test_fail`
 * counts; STEP leaves out some between two. With -n they are all allocations of this task: those
 * of the kernel's fail-nth, and BACK is written where the request has succeeded nevertheless.
 *
 * What WITNESS shows, or those of its lines that begin with PREFIX, has to stay the same, and so do
 * the implementation that serves the class, its version, its generation and its state.
 *
 * A line for each point: class, request, site, and which step of the request it was. Status 1: one
 * was not as it has to be, which the last line says; 4: the kernel does not have this.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long u64;

#define ROOM (16 << 20)
#define CHUNK 65536
#define SITES 64
#define WITNESSES 16

static alignas(4096) char buffer[ROOM];

struct site {
	char name[32];
	u64 faults;
};

/* What must not change: a checksum for each file. */
struct view {
	size_t count;
	const char *names[WITNESSES];
	u64 sums[WITNESSES];
};

static int problem(const char *what, const char *about, unsigned long n)
{
	printf("wrong: %s: %s at step %lu\n", what, about, n);
	return 1;
}

/* Reads a file from its beginning, past the page cache where it is a disk; -1 if it cannot. */
static ssize_t read_all(const char *path)
{
	int fd = open(path, strncmp(path, "/dev/", 5) ? O_RDONLY : O_RDONLY | O_DIRECT);
	ssize_t length = 0, got = -1;

	if (fd < 0)
		return -1;
	while (length + CHUNK < ROOM) {
		got = read(fd, buffer + length, CHUNK);
		if (got <= 0)
			break;
		length += got;
	}
	close(fd);
	buffer[length] = 0;
	/* What does not fit has not been looked at. */
	return got ? -1 : length;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool is_written = fd >= 0 && write(fd, text, strlen(text)) >= 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return is_written;
}

static u64 hash(u64 sum, const char *bytes, size_t length)
{
	while (length--)
		sum = (sum ^ (unsigned char)*bytes++) * 0x100000001b3ull;
	return sum;
}

/* The end of a line; or where the last of its columns begins, which is a generation. */
static char *end_of_line(char *line, bool has_generation)
{
	char *end = strchrnul(line, '\n');
	char *column = has_generation ? NULL : memrchr(line, ' ', end - line);

	return column ? column : end;
}

/* Adds a witness to what was seen; false: it could not be read. */
static bool add_witness(struct view *view, const char *witness, const char *file,
			bool has_generation)
{
	u64 sum = 0xcbf29ce484222325ull;
	char path[256], *prefix, *line;
	ssize_t length;

	snprintf(path, sizeof(path), file ? "%s/%s" : "%s", witness, file);
	prefix = strchr(path, ':');
	if (prefix)
		*prefix++ = 0;
	length = read_all(path);
	if (length < 0 || view->count == WITNESSES)
		return false;
	if (!prefix)
		sum = hash(sum, buffer, length);
	for (line = buffer; prefix && *line; line = strchrnul(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, prefix, strlen(prefix)))
			sum = hash(sum, line, end_of_line(line, has_generation) - line);
	}
	view->names[view->count] = file ? file : witness;
	view->sums[view->count++] = sum;
	return true;
}

/* What must not change: of the class whose directory this is, and the witnesses. */
static bool look(struct view *view, const char *class, bool has_generation, char **witnesses)
{
	static const char *const files[] = { "implementation", "version", "state", "generation" };
	size_t i, count = has_generation ? 4 : 3;

	view->count = 0;
	for (i = 0; i < count; i++)
		if (!add_witness(view, class, files[i], has_generation))
			return false;
	while (*witnesses)
		if (!add_witness(view, *witnesses++, NULL, has_generation))
			return false;
	return true;
}

/* The first that is not as it was, NULL: none. */
static const char *changed(const struct view *before, const struct view *after)
{
	size_t i;

	for (i = 0; i < before->count; i++)
		if (after->sums[i] != before->sums[i])
			return before->names[i];
	return NULL;
}

/* Whether all is as it was; what is not, is said, and what was done. */
static bool is_whole(const struct view *before, const char *class, bool has_generation,
		     char **witnesses, const char *done)
{
	struct view after;
	const char *name = "what could not be read";

	if (look(&after, class, has_generation, witnesses))
		name = changed(before, &after);
	if (name)
		printf("wrong: after %s: not as before: %s\n", done, name);
	return !name;
}

static size_t read_sites(struct site *sites)
{
	char *line, *next;
	size_t count = 0;

	if (read_all("/sys/kernel/debug/molt/fault_sites") < 0)
		return 0;
	/* The first line has the names of the columns. */
	for (line = strchr(buffer, '\n'); line && count < SITES; line = next) {
		next = strchr(line + 1, '\n');
		if (sscanf(line, " %31s %llu", sites[count].name, &sites[count].faults) == 2)
			count++;
	}
	return count;
}

/* The one site that has failed since; NULL: none, or several. */
static const char *failed_site(const struct site *before, const struct site *now, size_t count)
{
	const char *name = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (now[i].faults == before[i].faults)
			continue;
		if (name || now[i].faults != before[i].faults + 1)
			return NULL;
		name = now[i].name;
	}
	return name;
}

static const char *name_of(const char *class)
{
	return strrchr(class, '/') + 1;
}

/* Every STEP-th of the steps that Molt counts. */
static int each_step(const char *file, const char *class, const char *request, unsigned long step,
		     char **witnesses)
{
	static const char parameter[] = "/sys/module/molt/parameters/test_fail";
	struct site sites[2][SITES];
	struct view before;
	const char *name;
	char text[32];
	unsigned long n;
	size_t count;

	if (!look(&before, class, true, witnesses))
		return problem("cannot look", strerrorname_np(errno), 0);
	for (n = 1;; n += step) {
		count = read_sites(sites[0]);
		snprintf(text, sizeof(text), "%lu", n);
		if (!count || !put(parameter, text))
			return problem("no parameter", strerrorname_np(errno), n);
		if (put(file, request))
			return put(parameter, "0") ? 0 : problem("no parameter", "", n);
		if (errno != ENOMEM)
			return problem("error", strerrorname_np(errno), n);
		read_sites(sites[1]);
		name = failed_site(sites[0], sites[1], count);
		if (!name)
			return problem("not one site", "", n);
		if (!is_whole(&before, class, true, witnesses, name))
			return problem("not whole", request, n);
		printf("%s %s %s %lu\n", name_of(class), request, name, n);
	}
}

/* Has the Nth allocation of this task fail from now on; 0: none. */
static bool arm(int nth, unsigned long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", n);
	return write(nth, text, strlen(text)) >= 0;
}

/* How many allocations are left until the one that fails; 0: it has failed. */
static unsigned long left_of(int nth)
{
	char text[32] = "";

	return pread(nth, text, sizeof(text) - 1, 0) > 0 ? strtoul(text, NULL, 10) : 1;
}

/* Every allocation of this task. Some can fail and the request succeeds. */
static int each_allocation(const char *file, const char *class, const char *request,
			   const char *back, char **witnesses)
{
	struct view before;
	int nth = open("/proc/thread-self/fail-nth", O_RDWR);
	unsigned long n, left;
	int fd, error;
	bool is_done;

	if (nth < 0)
		return 4;
	if (!look(&before, class, false, witnesses))
		return problem("cannot look", strerrorname_np(errno), 0);
	for (n = 1;; n++) {
		fd = open(file, O_WRONLY);
		if (fd < 0)
			return problem("cannot open", strerrorname_np(errno), n);
		if (!arm(nth, n))
			return problem("fail-nth", strerrorname_np(errno), n);
		is_done = write(fd, request, strlen(request)) >= 0;
		error = errno;
		left = left_of(nth);
		if (!arm(nth, 0))
			return problem("fail-nth", strerrorname_np(errno), n);
		close(fd);
		/* EFAULT: the request itself could not be copied. */
		if (!is_done && error != ENOMEM && error != EINTR && error != EFAULT)
			return problem("error", strerrorname_np(error), n);
		if (is_done && !put(file, back))
			return problem("no way back", strerrorname_np(errno), n);
		if (!is_whole(&before, class, false, witnesses,
			      is_done ? "the way back" : "a fault"))
			return problem("not whole", request, n);
		if (left)
			return is_done ? 0 : problem("refused, but not by a fault", "", n);
		printf("%s %s %s %lu\n", name_of(class), request, "fail-nth", n);
	}
}

int main(int count, char **words)
{
	unsigned long step = 1;
	bool is_nth = false;
	char *class, *end;
	int option;

	while ((option = getopt(count, words, "ns:")) != -1) {
		if (option == 'n')
			is_nth = true;
		else if (option == 's')
			step = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	words += optind;
	if (count - optind < 2 + is_nth || !step)
		return 2;
	class = strdup(words[0]);
	end = class ? strrchr(class, '/') : NULL;
	if (!end)
		return 2;
	*end = 0;
	if (is_nth)
		return each_allocation(words[0], class, words[1], words[2], words + 3);
	return each_step(words[0], class, words[1], step, words + 2);
}
