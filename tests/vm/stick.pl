#!/usr/bin/perl
# stick.pl PORT: in the guest, a SIMCom stick with four serial ports (1e0e:9001, driver "option") on the kernel's dummy USB
# controller. Its interface 2 is wired to the simulated modem behind PORT, interface 1 streams positions as a GPS receiver
# does, 0 (diagnostics) and 3 answer nothing; what the host wrote to 0, 1 and 3 is appended to /run/stick.log.
# It is plugged in and out by writing to the UDC of its gadget, as machine.py does.
use strict;
use warnings;
use Fcntl;
use IO::Select;
use POSIX qw(:termios_h);

use constant { AT => 2, GPS => 1, GADGET => '/sys/kernel/config/usb_gadget/stick' };

sub put {
    my ($path, $text) = @_;
    open(my $file, '>', $path) or die "$path: $!\n";
    print $file $text;
    close($file) or die "$path: $!\n";
}

sub make_gadget {
    system('modprobe', '-a', 'libcomposite', 'dummy_hcd') == 0 or die "no dummy_hcd\n";
    system('mount', '-t', 'configfs', 'config', '/sys/kernel/config') unless -d '/sys/kernel/config/usb_gadget';
    mkdir($_) or die "$_: $!\n" for GADGET, GADGET . '/strings/0x409', GADGET . '/configs/c.1';
    put(GADGET . '/idVendor', '0x1e0e');
    put(GADGET . '/idProduct', '0x9001');
    put(GADGET . '/strings/0x409/serialnumber', '0123456789ABCDEF');
    put(GADGET . '/strings/0x409/manufacturer', 'SimTech, Incorporated');
    put(GADGET . '/strings/0x409/product', 'SimTech SIM7600');
    for my $n (0 .. 3) {
        mkdir(GADGET . "/functions/gser.$n") or die "function $n: $!\n";
        symlink(GADGET . "/functions/gser.$n", GADGET . "/configs/c.1/gser.$n") or die "function $n: $!\n";
    }
}

# An unplug hangs a gadget's tty up for good: it is opened anew.
sub open_tty {
    my ($path) = @_;
    my $tty;
    select(undef, undef, undef, 0.1) until sysopen($tty, $path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    my $line = POSIX::Termios->new;
    $line->getattr(fileno $tty);
    $line->setlflag(0);
    $line->setiflag(0);
    $line->setoflag(0);
    $line->setcflag(CLOCAL | CREAD | CS8);
    $line->setcc(VMIN, 1);
    $line->setattr(fileno $tty, TCSANOW);
    return $tty;
}

make_gadget();
sysopen(my $modem, $ARGV[0], O_RDWR) or die "$ARGV[0]: $!\n";
open(my $log, '>>', '/run/stick.log') or die "/run/stick.log: $!\n";
$log->autoflush(1);
my @tty = map { open_tty("/dev/ttyGS$_") } 0 .. 3;
put('/run/stick.ready', '');

my $fix = 0;
while (1) {
    my $select = IO::Select->new($modem, @tty);
    for my $ready ($select->can_read(0.2)) {
        my $n = sysread($ready, my $bytes, 4096);
        next if !defined $n && ($!{EAGAIN} || $!{EINTR});
        if ($ready == $modem) {
            syswrite($tty[AT], $bytes) if $n;
            select(undef, undef, undef, 0.1) unless $n;
            next;
        }
        my ($port) = grep { $tty[$_] == $ready } 0 .. 3;
        if (!$n) {
            close($tty[$port]);
            $tty[$port] = open_tty("/dev/ttyGS$port");
        }
        elsif ($port == AT) { syswrite($modem, $bytes) }
        else                { print $log "interface $port: " . unpack('H*', $bytes) . "\n" }
    }
    if (time != $fix) {
        $fix = time;
        syswrite($tty[GPS], "\$GPGGA,120000.00,5231.0,N,01324.0,E,1,08,0.9,34.0,M,45.0,M,,*5B\r\n");
    }
}
