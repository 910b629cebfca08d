/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * An entry point that runs before the C library: the fast path of sandbox/selfexec.
 *
 * Theory of operation: a program that starts containers runs itself again from a read-only clone of
 * the mount of its own binary (CVE-2019-5736). Doing that in main() pays for the start of the C
 * library twice, and most of that is CPUID, which traps in every virtual machine (0.5 ms of a start
 * here). bulkhead_start is the ELF entry point of the static programs: when one of their words
 * names a command that starts a container, and the binary is not on a read-only mount yet, it makes
 * the clone and executes it, with nothing but system calls. Otherwise, and when any of them fails,
 * it goes on to the C library's _start with the stack as the kernel made it; main() then calls
 * sandbox_protect_self(), which checks, has another way, and reports. So this file is never needed
 * for safety.
 *
 * It must not: call any function of the C library (nothing is relocated yet, there is no
 * thread-local storage, so no stack protector either), use writable data, or write anything.
 */
void bulkhead_start(void);
/* The commands that start a process in a container, each with its NUL, and one more NUL: every
 * program with this entry point defines its own. An array, because nothing that needs a relocation
 * can be read. */
extern const char bulkhead_start_words[] __attribute__((visibility("hidden")));
