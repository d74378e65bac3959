package chdb

import "syscall"

// guarded are the signals whose disposition belongs to the Go runtime or to the
// program: those libchdb puts back to their default when it is told to leave
// signals alone, and those other code has been seen to take.
var guarded = []syscall.Signal{
	syscall.SIGILL, syscall.SIGABRT, syscall.SIGFPE, syscall.SIGBUS, syscall.SIGSEGV, syscall.SIGSYS,
	syscall.SIGTRAP, syscall.SIGTSTP, syscall.SIGURG, syscall.SIGPIPE, syscall.SIGPROF, syscall.SIGINT,
	syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCHLD,
}

// disposition has room for glibc's struct sigaction (152 bytes on x86-64).
type disposition [256]byte

// same compares handler, the first word of the mask, and the flags.
func (d *disposition) same(o *disposition) bool {
	return string(d[:16]) == string(o[:16]) && string(d[136:140]) == string(o[136:140])
}

// guard runs f and puts back every disposition f changed. Between the change and
// the repair a fault in another goroutine would end the process, which is why the
// pool opens its connections at start and not on demand.
func (l *library) guard(f func()) {
	var before [32]disposition
	for i, s := range guarded {
		l.sigaction(int32(s), nil, ptr(&before[i]))
	}
	f()
	for i, s := range guarded {
		var now disposition
		l.sigaction(int32(s), nil, ptr(&now))
		if !now.same(&before[i]) {
			l.sigaction(int32(s), ptr(&before[i]), nil)
		}
	}
}
