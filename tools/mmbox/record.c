// SPDX-License-Identifier: GPL-2.0
/*
 * mmbox record: the running kernel's kmem events while a command runs.
 *
 * The events go to a tracefs instance, so that other tracing is left alone. For each CPU
 * a thread copies pages of the ring buffer to a file without a name, in the folder of
 * the output. When the command has ended, the pages are read back, sorted by time and
 * converted. The instance is always removed: signals that would end the program are
 * delayed until then.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event-parse.h>
#include <kbuffer.h>
#include <tracefs.h>

#include "commands.h"
#include "source_raw.h"
#include "stop.h"
#include "util.h"

/* Exit statuses as of timeout(1) and env(1). */
#define EXIT_OWN_FAILURE	125
#define EXIT_CANNOT_RUN		126
#define EXIT_NOT_FOUND		127

#define READ_EVERY_MS		20	/* a fraction of what fills the buffer */
#define BUFFER_KIB_MIN		16	/* a CPU */
#define BUFFER_KIB_MAX		16384	/* a CPU, unless told otherwise */

struct cpu_reader {
	struct tracefs_cpu *tcpu;
	pthread_t thread;
	bool is_running;
	bool stop;		/* end when the buffer is empty */
	int fd;			/* of its file, -1: none yet */
	char *path;		/* its path before it was unlinked, for messages */
	uint64_t nr_bytes;
	bool failed;
};

struct recording {
	const char *output;
	char **command;
	long buffer_kib;	/* a CPU, 0: choose */
	const char *clock;	/* the kernel's trace clock */
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct cpu_reader *readers;
	unsigned int nr_cpus;
	unsigned int subbuf_size;
	uint64_t nr_lost;
	pid_t pid;		/* the command's, 0: it does not run */
	int go_fd;		/* a byte written here starts the command */
	int run_fd;		/* a byte is read here if the command cannot be run */
	int exit_status;	/* the command's */
	bool not_run;		/* the command could not be run: no recording */
};

void describe_host(struct trace_texts *info)
{
	struct utsname uts;
	char date[32];
	time_t now = time(NULL);
	struct tm tm;

	if (!uname(&uts)) {
		trace_texts_add(info, "kernel", "%s %s", uts.sysname, uts.release);
		trace_texts_add(info, "machine", "%s", uts.machine);
	}
	if (gmtime_r(&now, &tm) && strftime(date, sizeof(date), "%FT%TZ", &tm))
		trace_texts_add(info, "date", "%s", date);
}

/* ---- the tracefs instance ---- */

static int set_file(struct recording *rec, const char *file, const char *value)
{
	if (tracefs_instance_file_write(rec->instance, file, value) >= 0)
		return 0;
	warn_errno("cannot set tracefs's %s to %s", file, value);
	return -1;
}

/* A sixteenth of the machine's memory for all CPUs, within reason. */
static long choose_buffer_kib(unsigned int nr_cpus)
{
	long kib = sysconf(_SC_PHYS_PAGES) * (sysconf(_SC_PAGESIZE) / 1024) / 16 /
		   nr_cpus;

	return kib < 1024 ? 1024 : kib > BUFFER_KIB_MAX ? BUFFER_KIB_MAX : kib;
}

/*
 * Events of all CPUs must have one order. If the machine's clock is coarse (some VMs),
 * the kernel's counter gives that order instead of the time.
 */
static const char *choose_clock(void)
{
	struct timespec res;

	if (!clock_getres(CLOCK_MONOTONIC, &res) && !res.tv_sec && res.tv_nsec <= 1000)
		return "global";
	return "counter";
}

static int enable_events(struct recording *rec)
{
	unsigned int nr = 0, i;

	for (i = 0; kmem_event_names[i]; i++) {
		char *file = xasprintf("events/kmem/%s/enable", kmem_event_names[i]);

		if (tracefs_file_exists(rec->instance, file)) {
			if (set_file(rec, file, "1")) {
				free(file);
				return -1;
			}
			nr++;
		}
		free(file);
	}
	if (nr)
		return 0;
	warn("this kernel has no kmem events");
	return -1;
}

static int make_instance(struct recording *rec)
{
	static const char *const systems[] = { "kmem", NULL };
	char name[32];

	if (!tracefs_tracing_dir()) {
		warn("cannot use tracefs: %s", geteuid() ? "recording needs root" :
		     "it is not mounted, and cannot be");
		return -1;
	}
	snprintf(name, sizeof(name), "mmbox-%d", (int)getpid());
	rec->instance = tracefs_instance_create(name);
	if (!rec->instance) {
		warn_errno("cannot make a tracefs instance%s",
			   geteuid() ? " (recording needs root)" : "");
		return -1;
	}
	rec->tep = tracefs_local_events_system(NULL, systems);
	if (!rec->tep) {
		warn("cannot read the formats of the kmem events");
		return -1;
	}
	if (tracefs_instance_set_buffer_size(rec->instance,
					     rec->buffer_kib ?:
					     choose_buffer_kib(rec->nr_cpus), -1)) {
		warn_errno("cannot set the size of the trace buffer");
		return -1;
	}
	rec->clock = choose_clock();
	if (set_file(rec, "tracing_on", "0") ||
	    set_file(rec, "trace_clock", rec->clock))
		return -1;
	return enable_events(rec);
}

/* Events that the kernel dropped, as it counts them. */
static uint64_t count_lost(struct recording *rec)
{
	static const char *const keys[] = {
		"\noverrun: ", "\ncommit overrun: ", "\ndropped events: ",
	};
	uint64_t nr_lost = 0;
	unsigned int cpu;
	size_t i;

	for (cpu = 0; cpu < rec->nr_cpus; cpu++) {
		char *file = xasprintf("per_cpu/cpu%u/stats", cpu);
		char *stats = tracefs_instance_file_read(rec->instance, file, NULL);

		for (i = 0; stats && i < ARRAY_SIZE(keys); i++) {
			const char *at = strstr(stats, keys[i]);

			if (at)
				nr_lost += strtoull(at + strlen(keys[i]), NULL, 10);
		}
		free(stats);
		free(file);
	}
	return nr_lost;
}

/* ---- readers ---- */

static void write_page(struct cpu_reader *reader, const char *page, size_t len)
{
	while (len && !reader->failed) {
		ssize_t written = write(reader->fd, page, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			warn_errno("cannot write %s", reader->path);
			reader->failed = true;
			return;
		}
		page += written;
		len -= written;
		reader->nr_bytes += written;
	}
}

/*
 * Copies pages to the file until it is told to stop and the buffer is empty. Reads do not
 * block: they might wait for a page that never fills. A page less than half full ends a
 * round: writing a page causes events itself, so that the buffer would never be empty.
 */
static void *read_cpu(void *arg)
{
	struct cpu_reader *reader = arg;
	int size = tracefs_cpu_read_size(reader->tcpu);
	struct kbuffer *kbuf = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST,
					     KBUFFER_ENDIAN_SAME_AS_HOST);
	char *page = xmalloc(size);
	bool stop;
	int got;

	do {
		stop = __atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE);
		while ((got = tracefs_cpu_read(reader->tcpu, page, true)) > 0) {
			memset(page + got, 0, size - got);
			write_page(reader, page, size);
			if (!stop && kbuf && !kbuffer_load_subbuffer(kbuf, page) &&
			    kbuffer_subbuffer_size(kbuf) < size / 2)
				break;
		}
		if (!stop)
			usleep(READ_EVERY_MS * 1000);
	} while (!stop);
	if (kbuf)
		kbuffer_free(kbuf);
	free(page);
	return NULL;
}

/* A file that is removed when it is closed, however the program ends. */
static int open_nameless(struct recording *rec, struct cpu_reader *reader,
			 unsigned int cpu)
{
	const char *folder = getenv("TMPDIR");

	if (trace_is_no_file(rec->output))
		reader->path = xasprintf("%s/mmbox.cpu%u.XXXXXX",
					 folder && *folder ? folder : "/tmp", cpu);
	else
		reader->path = xasprintf("%s.cpu%u.XXXXXX", rec->output, cpu);
	reader->fd = mkostemp(reader->path, O_CLOEXEC);
	if (reader->fd < 0) {
		warn_errno("cannot create %s", reader->path);
		return -1;
	}
	unlink(reader->path);
	return 0;
}

static int open_reader(struct recording *rec, unsigned int cpu)
{
	struct cpu_reader *reader = &rec->readers[cpu];
	char *file = xasprintf("per_cpu/cpu%u/trace_pipe_raw", cpu);
	bool exists = tracefs_file_exists(rec->instance, file);

	free(file);
	if (!exists)
		return 0;	/* a possible CPU that is not present */
	reader->tcpu = tracefs_cpu_open(rec->instance, cpu, true);
	if (!reader->tcpu) {
		warn_errno("cannot open the trace buffer of CPU %u", cpu);
		return -1;
	}
	rec->subbuf_size = tracefs_cpu_read_size(reader->tcpu);
	return open_nameless(rec, reader, cpu);
}

static int start_readers(struct recording *rec)
{
	unsigned int cpu;

	for (cpu = 0; cpu < rec->nr_cpus; cpu++) {
		struct cpu_reader *reader = &rec->readers[cpu];

		if (open_reader(rec, cpu))
			return -1;
		if (!reader->tcpu)
			continue;
		errno = pthread_create(&reader->thread, NULL, read_cpu, reader);
		if (errno) {
			warn_errno("cannot start a thread");
			return -1;
		}
		reader->is_running = true;
	}
	return 0;
}

static int stop_readers(struct recording *rec)
{
	unsigned int cpu;
	int err = 0;

	for (cpu = 0; cpu < rec->nr_cpus; cpu++) {
		struct cpu_reader *reader = &rec->readers[cpu];

		if (!reader->is_running)
			continue;
		__atomic_store_n(&reader->stop, true, __ATOMIC_RELEASE);
		pthread_join(reader->thread, NULL);
		reader->is_running = false;
		if (reader->failed)
			err = -1;
	}
	return err;
}

/* ---- the command ---- */

/* Runs in the child: waits until tracing is on, then becomes the command. */
static void become_command(char **command, int go_fd, int run_fd)
{
	int status;
	char go;

	if (read(go_fd, &go, 1) != 1)
		_exit(EXIT_OWN_FAILURE);
	execvp(command[0], command);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	warn_errno("cannot run %s", command[0]);
	if (write(run_fd, "", 1) != 1)
		status = EXIT_OWN_FAILURE;
	_exit(status);
}

/*
 * Called before there are threads: a child would inherit their locks in a locked state.
 * The child waits for a byte from the pipe, and ends if the pipe is closed.
 */
static int fork_command(struct recording *rec)
{
	int go[2], run[2];

	if (pipe2(go, O_CLOEXEC)) {
		warn_errno("cannot make a pipe");
		return -1;
	}
	if (pipe2(run, O_CLOEXEC)) {
		warn_errno("cannot make a pipe");
		close(go[0]);
		close(go[1]);
		return -1;
	}
	rec->pid = fork();
	if (!rec->pid) {
		stop_restore();
		close(go[1]);
		become_command(rec->command, go[0], run[1]);
	}
	close(go[0]);
	close(run[1]);
	rec->go_fd = go[1];
	rec->run_fd = run[0];
	if (rec->pid > 0)
		return 0;
	warn_errno("cannot fork");
	return -1;
}

static int wait_for_command(struct recording *rec)
{
	int status;

	if (rec->go_fd >= 0)
		close(rec->go_fd);
	rec->go_fd = -1;
	while (waitpid(rec->pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_OWN_FAILURE;
	rec->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Starts the command. The child may have ended already. */
static int let_go(struct recording *rec)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (stop_signal())
		return -1;
	sigaction(SIGPIPE, &ignore, NULL);
	if (set_file(rec, "tracing_on", "1"))
		return -1;
	return write(rec->go_fd, "", 1) == 1 || errno == EPIPE ? 0 : -1;
}

/* Called when the child has ended: without a byte in the pipe the command was run. */
static bool was_run(const struct recording *rec)
{
	char byte;

	return read(rec->run_fd, &byte, 1) == 0;
}

static int run_command(struct recording *rec)
{
	int err;

	stop_pass_on(rec->pid);
	err = let_go(rec);
	rec->exit_status = wait_for_command(rec);
	stop_pass_on(0);
	if (set_file(rec, "tracing_on", "0"))
		err = -1;
	rec->not_run = !was_run(rec);
	return rec->not_run ? -1 : err;
}

/* ---- all of it ---- */

static int convert_pages(struct recording *rec)
{
	struct trace_texts info = { 0 };
	struct convert_counts counts;
	struct kmem_source *source;
	char *command = xstrdup("");
	unsigned int cpu, i;
	int *fds, err;

	fds = xmalloc(rec->nr_cpus * sizeof(*fds));
	for (cpu = 0; cpu < rec->nr_cpus; cpu++)
		fds[cpu] = rec->readers[cpu].fd;
	source = source_raw_open(rec->tep, fds, rec->nr_cpus, rec->subbuf_size);
	if (!source) {
		free(fds);
		free(command);
		return -1;
	}
	source->lost_is_told = true;
	source->nr_lost = rec->nr_lost;

	for (i = 0; rec->command[i]; i++) {
		char *longer = xasprintf("%s%s%s", command, i ? " " : "",
					 rec->command[i]);

		free(command);
		command = longer;
	}
	describe_host(&info);
	trace_texts_add(&info, "source", "mmbox record");
	trace_texts_add(&info, "command", "%s", command);
	trace_texts_add(&info, "exit_status", "%d", rec->exit_status);
	trace_texts_add(&info, "clock", "%s", rec->clock);
	trace_texts_add(&info, "cpus", "%u", rec->nr_cpus);
	trace_texts_add(&info, "page_size", "%u", source->page_size);
	err = convert(source, rec->output, &info, &counts);
	if (!err)
		print_counts(rec->output, &counts);
	source->close(source);
	bytes_free(&info.bytes);
	free(command);
	free(fds);
	return err;
}

static void clean_up(struct recording *rec)
{
	unsigned int cpu;

	for (cpu = 0; cpu < rec->nr_cpus; cpu++) {
		struct cpu_reader *reader = &rec->readers[cpu];

		if (reader->tcpu)
			tracefs_cpu_close(reader->tcpu);
		if (reader->fd >= 0)
			close(reader->fd);
		free(reader->path);
	}
	free(rec->readers);
	if (rec->run_fd >= 0)
		close(rec->run_fd);
	if (rec->tep)
		tep_free(rec->tep);
	if (rec->instance) {
		if (tracefs_instance_destroy(rec->instance))
			warn_errno("cannot remove the tracefs instance");
		tracefs_instance_free(rec->instance);
	}
}

static int record(struct recording *rec)
{
	unsigned int cpu;
	struct stat st;
	int err;

	if (!stat(rec->output, &st) && S_ISDIR(st.st_mode)) {
		warn("cannot write %s: it is a folder", rec->output);
		return EXIT_OWN_FAILURE;
	}
	stop_put_off();
	rec->nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	rec->readers = xzalloc(rec->nr_cpus * sizeof(*rec->readers));
	for (cpu = 0; cpu < rec->nr_cpus; cpu++)
		rec->readers[cpu].fd = -1;

	err = make_instance(rec);
	if (!err)
		err = fork_command(rec);
	if (!err)
		err = start_readers(rec);
	if (!err)
		err = run_command(rec);
	if (rec->pid > 0)
		wait_for_command(rec);
	if (stop_readers(rec))
		err = -1;
	if (!err) {
		rec->nr_lost = count_lost(rec);
		for (cpu = 0; cpu < rec->nr_cpus; cpu++) {
			if (rec->readers[cpu].tcpu)
				tracefs_cpu_close(rec->readers[cpu].tcpu);
			rec->readers[cpu].tcpu = NULL;
		}
		err = convert_pages(rec);
	}
	clean_up(rec);
	if (err && stop_signal())
		warn("stopped by a signal: nothing is kept");
	stop_end();
	return err && !rec->not_run ? EXIT_OWN_FAILURE : rec->exit_status;
}

/* Limited, as the kernel would allocate all memory of the machine if asked. */
static long parse_buffer(const char *text)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	long most = sysconf(_SC_PHYS_PAGES) * (sysconf(_SC_PAGESIZE) / 1024) / 2 / nr_cpus;
	long kib = parse_number(text, BUFFER_KIB_MIN, most);

	if (kib < 0)
		usage_error("record: --buffer %s: KiB a CPU from %d to %ld are needed",
			    text, BUFFER_KIB_MIN, most);
	return kib;
}

int cmd_record(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "buffer", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	struct recording rec = { .go_fd = -1, .run_fd = -1 };
	int opt;

	while ((opt = getopt_long(argc, argv, "+:o:b:", options, NULL)) != -1) {
		switch (opt) {
		case 'o':
			rec.output = optarg;
			break;
		case 'b':
			rec.buffer_kib = parse_buffer(optarg);
			break;
		default:
			bad_option(opt, argv);
		}
	}
	if (!rec.output)
		usage_error("record: -o FILE is needed");
	if (optind == argc)
		usage_error("record: a program to run is needed");
	rec.command = &argv[optind];
	return record(&rec);
}
