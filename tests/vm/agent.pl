#!/usr/bin/perl
# agent.pl PORT: in the guest. Reads "RUN seconds bytes\n" and a script of so many bytes, runs it by bash for at most so many
# seconds, answers "RC status bytes\n" and what it printed. Perl, because every Debian has it.
use strict;
use warnings;

my $path = shift or die "usage: agent.pl PORT\n";
open(my $port, '+<:raw', $path) or die "$path: $!\n";

# While nobody has the other end open, reading ends at once.
sub read_bytes {
    my ($wanted) = @_;
    my $bytes = '';
    while (length $bytes < $wanted) {
        my $n = sysread($port, $bytes, $wanted - length $bytes, length $bytes);
        die "read: $!\n" unless defined $n;
        select(undef, undef, undef, 0.05) unless $n;
    }
    return $bytes;
}

sub read_line {
    my $line = '';
    while ($line !~ /\n$/) { $line .= read_bytes(1) }
    return $line;
}

sub write_bytes {
    my ($bytes) = @_;
    while (length $bytes) {
        my $n = syswrite($port, $bytes) or die "write: $!\n";
        substr($bytes, 0, $n) = '';
    }
}

write_bytes("READY\n");
while (1) {
    next unless read_line() =~ /^RUN (\d+) (\d+)$/;
    my ($seconds, $script) = ($1, '/run/test-script');
    open(my $file, '>', $script) or die "$script: $!\n";
    print $file read_bytes($2);
    close($file);
    my $output = `timeout --kill-after=5 $seconds bash $script </dev/null 2>&1`;
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    write_bytes("RC $status " . length($output) . "\n$output");
}
