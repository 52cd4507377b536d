// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of a test VM: mounts the host's files under a throw-away tmpfs,
 * runs one command on them and stops.
 *
 * tools/vm/run puts it (linked statically, so that it runs before there are
 * libraries) into the initramfs, with the modules that the kernel has not
 * built in and their names in load order in /modules. What to run is in
 * RUN/job, where RUN, a folder shared with the runner, comes as "mmbox.run="
 * on the kernel command line: strings, each ended by a zero byte,
 *
 *	NAME=VALUE settings (see struct job) ... "" environment ... "" arguments
 *
 * The command's output goes to a virtio port or, in User-Mode Linux, to the
 * second console; its exit status to RUN/status; our own complaints to the
 * kernel's log.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ROOT	"/root"		/* where the guest's root is mounted */
#define PATHS	4096

struct job {
	char *run;		/* folder shared with the runner */
	char *out;		/* folder the command may write to, or "" */
	char *cwd;		/* where the command starts */
	char *name;		/* host name */
	char *release;		/* what uname -r says */
	char *modules;		/* that kernel's lib/modules/RELEASE */
	char *leaks;		/* not "": run kmemleak at the end */
	char **env;
	char **argv;
};

static void note(const char *format, ...)
{
	char line[PATHS + 64];
	va_list args;
	int fd, len;

	len = snprintf(line, sizeof(line), "mmbox-vm: ");
	va_start(args, format);
	len += vsnprintf(line + len, sizeof(line) - len, format, args);
	va_end(args);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, line, len) < 0)
		perror("/dev/kmsg");
	close(fd);
}

static noreturn void stop(void)
{
	sync();
	reboot(RB_AUTOBOOT);
	_exit(1);
}

#define must(what, ...)						\
	do {								\
		if ((what) < 0) {					\
			int error_ = errno;				\
									\
			note(__VA_ARGS__);				\
			note("%s", strerror(error_));			\
			stop();						\
		}							\
	} while (0)

static const char *joined(const char *a, const char *b)
{
	static char path[2][PATHS];
	static int turn;

	turn = !turn;
	snprintf(path[turn], PATHS, "%s%s", a, b);
	return path[turn];
}

/* All of a file, with a zero byte after it; NULL if there is none. */
static char *slurp(const char *path, size_t *size)
{
	size_t room = 1 << 16;
	char *text = NULL;
	ssize_t n;
	int fd;

	*size = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		text = realloc(text, *size + room + 1);
		if (!text)
			break;
		n = read(fd, text + *size, room);
		if (n > 0)
			*size += n;
	} while (n > 0);
	if (text)
		text[*size] = '\0';
	close(fd);
	return text;
}

/* mkdir -p */
static void make_dirs(const char *dir)
{
	char path[PATHS];
	char *slash;

	snprintf(path, sizeof(path), "%s", dir);
	for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	mkdir(path, 0755);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		note("cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static bool kernel_has(const char *filesystem)
{
	size_t size;
	char *list = slurp("/proc/filesystems", &size);
	bool has = list && strstr(list, filesystem);

	free(list);
	return has;
}

static void load_modules(void)
{
	size_t size;
	char *name, *next, *list = slurp("/modules", &size);

	for (name = list; name && *name; name = next) {
		int fd;

		next = strchrnul(name, '\n');
		if (*next)
			*next++ = '\0';
		fd = open(joined("/", name), O_RDONLY | O_CLOEXEC);
		must(fd, "no module %s", name);
		must(syscall(SYS_finit_module, fd, "", 0), "cannot load %s", name);
		close(fd);
	}
	free(list);
}

/* A folder of the host: hostfs in User-Mode Linux, elsewhere 9p by its tag. */
static void share(const char *tag, const char *host, const char *where, bool write)
{
	unsigned long flags = write ? 0 : MS_RDONLY;
	const char *options = write ?
		"trans=virtio,version=9p2000.L,msize=500000,cache=none" :
		"trans=virtio,version=9p2000.L,msize=500000,cache=loose";

	make_dirs(where);
	if (kernel_has("hostfs"))
		must(mount("none", where, "hostfs", flags, host), "no hostfs %s", host);
	else
		must(mount(tag, where, "9p", flags, options), "no 9p share %s", tag);
}

static void mount_root(void)
{
	share("root", "/", "/lower", false);
	make_dirs("/writes");
	must(mount("tmpfs", "/writes", "tmpfs", 0, "size=90%"), "no tmpfs");
	mkdir("/writes/upper", 0755);
	mkdir("/writes/work", 0755);
	make_dirs(ROOT);
	must(mount("overlay", ROOT, "overlay", 0,
		   "lowerdir=/lower,upperdir=/writes/upper,workdir=/writes/work"),
	     "no overlay");
}

/* The mounts of a Debian system. */
static void mount_usual(void)
{
	static const struct {
		const char *type, *where, *options;
	} usual[] = {
		{ "tmpfs", "/run", "mode=755" },
		{ "tmpfs", "/dev/shm", "mode=1777" },
		{ "devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666" },
		{ "debugfs", "/sys/kernel/debug", "" },
		{ "tracefs", "/sys/kernel/tracing", "" },
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		if (!strncmp(usual[i].where, "/dev", 4) || !strcmp(usual[i].where, "/run"))
			make_dirs(usual[i].where);
		if (mount(usual[i].type, usual[i].where, usual[i].type, 0, usual[i].options) < 0 &&
		    kernel_has(usual[i].type))
			note("no %s on %s: %s", usual[i].type, usual[i].where, strerror(errno));
	}
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("fd/0", "/dev/stdin") ||
	    symlink("fd/1", "/dev/stdout") || symlink("fd/2", "/dev/stderr"))
		note("no /dev/fd: %s", strerror(errno));
}

static void loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		note("no loopback interface: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Where the command's output goes: see the top. */
static int open_output(void)
{
	char node[PATHS] = "/dev/tty1";
	struct dirent *entry;
	struct termios raw;
	DIR *ports;
	int fd;

	ports = opendir("/sys/class/virtio-ports");
	while (ports && (entry = readdir(ports)))
		if (entry->d_name[0] != '.')
			snprintf(node, sizeof(node), "/dev/%s", entry->d_name);
	if (ports)
		closedir(ports);
	fd = open(node, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	must(fd, "no way out through %s", node);
	if (tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

static char *setting(char **settings, const char *name)
{
	size_t len = strlen(name);

	for (; *settings && **settings; settings++)
		if (!strncmp(*settings, name, len) && (*settings)[len] == '=')
			return *settings + len + 1;
	return "";
}

static void read_job(struct job *job, char *run)
{
	char **words, *text, *at, *end;
	size_t size, n = 0;

	text = slurp(joined(joined(run, "/job"), ""), &size);
	if (!text || !size) {
		note("no job in %s", run);
		stop();
	}
	words = calloc(size + 1, sizeof(*words));
	if (!words)
		stop();
	for (at = text, end = text + size; at < end; at += strlen(at) + 1)
		words[n++] = at;

	job->run = run;
	job->out = setting(words, "out");
	job->cwd = setting(words, "cwd");
	job->name = setting(words, "name");
	job->release = setting(words, "release");
	job->modules = setting(words, "modules");
	job->leaks = setting(words, "leaks");
	while (*words && **words)
		words++;
	job->env = words + 1;
	while (*words && **++words)
		;
	if (!*words || !words[1]) {
		note("the job in %s is not whole", run);
		stop();
	}
	*words++ = NULL;
	job->argv = words;
}

/* The command, in a session of its own; returns its status as a shell would. */
static int run_command(const struct job *job, int output)
{
	pid_t child, pid;
	int status;

	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, 0);
		dup2(output, 1);
		dup2(output, 2);
		if (chdir(job->cwd) < 0)
			dprintf(2, "%s: %s\n", job->cwd, strerror(errno));
		environ = job->env;
		execvp(job->argv[0], job->argv);
		dprintf(2, "%s: %s\n", job->argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	must(child, "cannot fork");
	do {
		pid = wait(&status);	/* orphans are our children, too */
	} while (pid != child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void look_for_leaks(void)
{
	static const char file[] = "/sys/kernel/debug/kmemleak";
	size_t size;
	char *line, *next, *text;

	if (access(file, W_OK) < 0)
		return;
	/* objects younger than 5 s do not count; scan twice, as a pointer may move meanwhile */
	sleep(6);
	put(file, "scan");
	put(file, "scan");
	text = slurp(file, &size);
	for (line = text; line && *line && line < text + 8192; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		note("%s", line);
	}
	free(text);
}

int main(int argc, char **argv)
{
	static const char *const moved[] = { "/proc", "/sys", "/dev" };
	struct job job;
	size_t size;
	char *run, *words, status[16];
	char path[PATHS];
	int output, code;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < 3; i++)
		mkdir(moved[i], 0755);
	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	mount("devtmpfs", "/dev", "devtmpfs", 0, "");

	words = slurp("/proc/cmdline", &size);
	/* the last one counts, as for any parameter */
	for (run = NULL; words && (words = strstr(words, "mmbox.run=")); run = words)
		words += strlen("mmbox.run=");
	if (!run) {
		/* a trial boot ends here */
		note("nothing to run");
		stop();
	}
	run[strcspn(run, "\n ")] = '\0';

	load_modules();
	mount_root();
	snprintf(path, sizeof(path), ROOT "%s", run);
	share("run", run, path, true);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), ROOT "%s", moved[i]);
		mkdir(path, 0755);
		must(mount(moved[i], path, NULL, MS_MOVE, NULL), "cannot move %s", moved[i]);
	}
	must(chdir(ROOT), "no " ROOT);
	must(mount(".", "/", NULL, MS_MOVE, NULL), "cannot move the root");
	must(chroot("."), "cannot enter the root");
	must(chdir("/"), "no root");

	read_job(&job, run);
	if (*job.out)
		share("out", job.out, job.out, true);
	mount_usual();
	loopback_up();
	if (sethostname(job.name, strlen(job.name)) < 0)
		note("no host name: %s", strerror(errno));
	snprintf(path, sizeof(path), "/lib/modules/%s", job.release);
	make_dirs(path);
	if (mount(job.modules, path, NULL, MS_BIND, NULL) < 0)
		note("no %s: %s", path, strerror(errno));

	output = open_output();
	note("start");
	code = run_command(&job, output);
	kill(-1, SIGKILL);
	tcdrain(output);
	if (*job.leaks)
		look_for_leaks();

	snprintf(status, sizeof(status), "%d\n", code);
	put(joined(run, "/status"), status);
	sync();
	if (*job.out)
		umount2(job.out, MNT_DETACH);
	umount2(run, MNT_DETACH);
	stop();
}
