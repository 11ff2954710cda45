// SPDX-License-Identifier: GPL-2.0
/*
 * An open loop: operations on a file that are due at fixed times, whatever became of those before.
 * How long one takes counts from when it was due, so what waits behind a slow one counts, too.
 *
 *	openloop [-c] [-i COMMAND] [-o OUTPUT] FILE PERIOD_US MILLISECONDS
 *	openloop -f [-o OUTPUT] PERIOD_US MILLISECONDS
 *
 * It runs at the highest priority of ordinary tasks: what is looked for is not how busy the machine
 * is. An operation reads 4096 bytes at the beginning, past all caches; with -i it is an ioctl. With
 * -c the file is closed after each. One that fails is tried again with the file opened anew, as a
 * user of a device that went away has to. With -f there is no file: an operation is a fork, to the
 * end of the child, which ends at once.
 *
 * To OUTPUT goes a line for each 10 ms: when, in ms; how many operations were due; the 50th, 99th
 * and 99.9th percentile and the maximum of their times, in us; how many operations ended in it. The
 * last line goes to the standard output: operations, failures, slots, slots in which none ended.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define SLOT_NS 10000000ull

typedef unsigned long long u64;

static char *buffer;

static u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void sleep_until(u64 ns)
{
	struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

/* Whether a process was made and has ended. */
static bool fork_once(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(0);
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

/* Does one operation, a fork if there is no path; returns how often it failed before. */
static unsigned int operate(const char *path, int *fd, unsigned long command, bool closes)
{
	unsigned int failures = 0;
	int value = 0;
	bool is_done;

	for (; !path && !fork_once(); failures++)
		usleep(100);
	while (path) {
		if (*fd < 0)
			*fd = open(path, command ? O_RDWR : O_RDONLY | O_DIRECT);
		is_done = *fd >= 0 && (command ? ioctl(*fd, command, &value) >= 0 :
						 pread(*fd, buffer, BLOCK, 0) > 0);
		if (is_done && !closes)
			return failures;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		if (is_done)
			return failures;
		failures++;
		usleep(100);
	}
	return failures;
}

static int compare(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return (a > b) - (a < b);
}

static void report(FILE *out, u64 *times, u64 count, u64 slot, u64 ended)
{
	if (!count)
		return;
	qsort(times, count, sizeof(*times), compare);
	fprintf(out, "%llu %llu %llu %llu %llu %llu %llu\n", slot * SLOT_NS / 1000000,
		count, times[count / 2] / 1000,
		times[count * 99 / 100] / 1000, times[count * 999 / 1000] / 1000,
		times[count - 1] / 1000, ended);
}

int main(int count, char **words)
{
	u64 period, operations, slots, begin, done, i, slot, first = 0, failures = 0, empty = 0;
	u64 *times, *ended;
	const char *path = NULL;
	unsigned long command = 0;
	bool closes = false, forks = false;
	FILE *out = NULL;
	int option, fd = -1;

	while ((option = getopt(count, words, "cfi:o:")) != -1) {
		if (option == 'c')
			closes = true;
		else if (option == 'f')
			forks = true;
		else if (option == 'i')
			command = strtoul(optarg, NULL, 0);
		else if (option == 'o')
			out = fopen(optarg, "w");
		else
			return 2;
	}
	if (count - optind != (forks ? 2 : 3))
		return 2;
	if (!forks)
		path = words[optind++];
	period = strtoull(words[optind], NULL, 0) * 1000;
	if (!period)
		return 2;
	operations = strtoull(words[optind + 1], NULL, 0) * 1000000 / period;
	/* What is late at the end is late by no more than that again. */
	slots = 2 * (operations * period / SLOT_NS + 1);
	times = calloc(operations, sizeof(*times));
	ended = calloc(slots, sizeof(*ended));
	buffer = aligned_alloc(BLOCK, BLOCK);
	if (!times || !ended || !buffer)
		return 1;

	setpriority(PRIO_PROCESS, 0, -20);
	failures += operate(path, &fd, command, closes);
	begin = now();
	for (i = 0; i < operations; i++) {
		u64 due = begin + i * period;

		if (now() < due)
			sleep_until(due);
		failures += operate(path, &fd, command, closes);
		done = now();
		times[i] = done - due;
		slot = (done - begin) / SLOT_NS;
		ended[slot < slots ? slot : slots - 1]++;
	}
	done = (now() - begin) / SLOT_NS;

	for (slot = 0; slot < done && slot < slots; slot++)
		empty += !ended[slot];
	for (i = 0, slot = 0; out && i < operations; slot++, first = i) {
		while (i < operations && i * period / SLOT_NS == slot)
			i++;
		report(out, times + first, i - first, slot, ended[slot]);
	}
	printf("operations %llu failures %llu slots %llu empty %llu\n", operations,
	       failures, done, empty);
	return out && fclose(out) ? 1 : 0;
}
