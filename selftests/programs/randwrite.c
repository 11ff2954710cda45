// SPDX-License-Identifier: GPL-2.0
/*
 * Writes nonsense to files.
 *
 *	randwrite SEED SECONDS REQUESTS <FILES
 *
 * REQUESTS is a file with lines that are right; FILES are paths, a line each. Every write is of
 * random bytes, or of one of those lines as it is, with bytes changed, put in or left out, cut,
 * doubled, or from another position. The same seed writes the same.
 *
 * It goes on for that long, and until there was a certain number of writes.
 *
 * Prints `count ERRNO N` for each error, `writes N`, `least N` for the file with the fewest,
 * and `strange N` with the first of those that no file documents. Status 1 if there was one.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long u64;

#define MOST 128
#define ROOM 8192
/* For each file, on average, however slow it is. */
#define LEAST 40

/*
 * What Documentation/ABI has for some file. E2BIG is the gauge's. ESPIPE comes before any of them,
 * where a file has no positions.
 */
static const int documented[] = {
	EINVAL, EINTR, ENODEV, ENOMEM, ENOENT, EBUSY, EALREADY, ESTALE, EPROTO, EAGAIN, ETIMEDOUT,
	ECANCELED, EDEADLK, E2BIG, ESPIPE,
};

static u64 state;

/* xorshift64*. */
static unsigned int number(unsigned int below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717ull >> 33) % below;
}

static size_t read_lines(FILE *from, char **lines)
{
	size_t count = 0, size;
	ssize_t length;

	for (; count < MOST; count++) {
		lines[count] = NULL;
		size = 0;
		length = getline(&lines[count], &size, from);
		if (length <= 0)
			break;
		if (lines[count][length - 1] == '\n')
			lines[count][length - 1] = 0;
	}
	return count;
}

static size_t random_bytes(char *bytes)
{
	size_t i, length = number(8) ? number(64) : number(ROOM);
	bool is_text = number(2);

	for (i = 0; i < length; i++)
		bytes[i] = is_text ? ' ' + number(95) : number(256);
	return length;
}

/* One change of what is there. */
static size_t mutate(char *bytes, size_t length)
{
	size_t at = number(length + 1);

	switch (number(6)) {
	case 0:
		if (at < length)
			bytes[at] ^= 1 << number(8);
		return length;
	case 1:
		if (length >= ROOM)
			return length;
		memmove(bytes + at + 1, bytes + at, length - at);
		bytes[at] = "\0\n =@9,"[number(7)];
		return length + 1;
	case 2:
		if (at < length)
			memmove(bytes + at, bytes + at + 1, length - at - 1);
		return at < length ? length - 1 : length;
	case 3:
		return at;
	case 4:
		if (2 * length > ROOM)
			return length;
		memcpy(bytes + length, bytes, length);
		return 2 * length;
	default:
		return length;
	}
}

static size_t some_bytes(char *bytes, char **lines, size_t count)
{
	size_t length, changes;

	if (!number(4))
		return random_bytes(bytes);
	length = snprintf(bytes, ROOM, "%s", lines[number(count)]);
	for (changes = number(4); changes; changes--)
		length = mutate(bytes, length);
	return length;
}

/* One write; returns its error. */
static int try(const char *path, const char *bytes, size_t length, off_t at)
{
	int fd = open(path, O_WRONLY);
	int error = fd < 0 ? errno : 0;

	if (!error && pwrite(fd, bytes, length, at) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	return error;
}

static bool is_documented(int error)
{
	size_t i;

	for (i = 0; i < sizeof(documented) / sizeof(*documented); i++)
		if (documented[i] == error)
			return true;
	return !error;
}

int main(int count, char **words)
{
	static unsigned long errors[256], each[MOST], writes, strange;
	static char bytes[ROOM + 1], *files[MOST], *lines[MOST];
	size_t file_count, line_count, i;
	unsigned long least = -1ul;
	FILE *requests;
	time_t end;

	if (count != 4)
		return 2;
	requests = fopen(words[3], "r");
	file_count = read_lines(stdin, files);
	line_count = requests ? read_lines(requests, lines) : 0;
	if (!file_count || !line_count)
		return 2;
	state = strtoull(words[1], NULL, 10) * 2 + 1;
	end = time(NULL) + atoi(words[2]);

	while (time(NULL) < end || writes < LEAST * file_count) {
		size_t file = number(file_count);
		size_t length = some_bytes(bytes, lines, line_count);
		int error = try(files[file], bytes, length, number(16) ? 0 : number(5000));

		writes++;
		each[file]++;
		errors[error & 255]++;
		if (is_documented(error))
			continue;
		if (!strange++)
			printf("strange: %s of %s: %.*s\n", strerrorname_np(error), files[file],
			       (int)length, bytes);
	}
	for (i = 0; i < 256; i++)
		if (errors[i])
			printf("count %s %lu\n", i ? strerrorname_np(i) : "ok", errors[i]);
	for (i = 0; i < file_count; i++)
		least = each[i] < least ? each[i] : least;
	printf("writes %lu\nleast %lu\nstrange %lu\n", writes, least, strange);
	return strange != 0;
}
