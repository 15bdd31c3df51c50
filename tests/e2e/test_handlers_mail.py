#!/usr/bin/python3
"""Handlers that are mailboxes, with the real programs and an SMTP server that can refuse, encrypt and ask for passwords."""
import email
import email.policy
import socketserver
import ssl
import subprocess
import threading
import time

import lab
from test_handlers import CUSTOMER, handlers, say

TEXT = "ünïcödé 漢字 🙂 " * 12


class Smtp(socketserver.ThreadingTCPServer):
    """`refuse(verb, line)`: what it says instead of "ok"; the verb of the mail itself is BODY. Keeps lines, "TLS " before those
    that came encrypted, and mails: (to, bytes)."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, certificate=None, auth=False, refuse=lambda verb, line: None):
        self.lines, self.mails = [], []

        class Session(socketserver.BaseRequestHandler):
            def say(self, *lines):
                self.file.write(b"".join(line.encode() + b"\r\n" for line in lines))
                self.file.flush()

            def ehlo(self, line):
                more = [word for word, wanted in (("STARTTLS", certificate and not self.tls), ("AUTH PLAIN", auth)) if wanted]
                self.say(*(f"250-{word}" for word in ["lab", *more]), "250 8BITMIME")

            def starttls(self, line):
                self.say("220 go")
                self.file = secure(certificate).wrap_socket(self.request, server_side=True).makefile("rwb")
                self.tls = "TLS "

            def auth(self, line):
                if line.count(" ") < 2:
                    self.say("334 ")
                    self.file.readline()
                self.say("235 ok")

            def rcpt(self, line):
                self.to.append(line[9:].rstrip(">"))
                self.say("250 ok")

            def data(self, line):
                self.say("354 go")
                text = b""
                while (part := self.file.readline()) != b".\r\n":
                    text += part[1:] if part.startswith(b".") else part
                no = refuse("BODY", "")
                if not no:
                    self.server.mails.append((self.to, text))
                self.to = []
                self.say(no or "250 taken")

            def handle(self):
                self.file, self.tls, self.to = self.request.makefile("rwb"), "", []
                self.say("220 lab")
                while line := self.file.readline().decode().rstrip("\r\n"):
                    self.server.lines.append(self.tls + line)
                    verb = line.split(" ")[0].lower()
                    no = refuse(verb.upper(), line)
                    if no:
                        self.say(no)
                    elif verb in ("ehlo", "starttls", "auth", "rcpt", "data"):
                        getattr(self, verb)(line)
                    else:
                        self.say("250 ok")

            def finish(self):
                pass

        super().__init__(("127.0.0.1", 0), Session)
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that does not like the certificate


def office(box, to=("anna@example.org",), sender="Shop <shop@example.org>", more=""):
    names = ", ".join(f'"{one}"' for one in to)
    return f'{{ name = "office"; kind = "mail"; url = "{box.url}"; from = "{sender}"; to = ( {names} ); on = ( "message" ); {more} }}'


def secure(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def certificate(it):
    """Of this machine's address, by no authority but itself: certificate and key."""
    files = it.dir / "cert.pem", it.dir / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-out", files[0], "-keyout", files[1], "-days", "3",
                    "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return files


def test_one_address_is_refused(build):
    """A server that refuses one of the addresses: the others have their mail, and it names all of them."""
    box = Smtp(refuse=lambda verb, line: "550 no such user" if verb == "RCPT" and "anna" in line else None)
    with lab.Lab(build) as it:
        handlers(it, office(box, ("anna@example.org", "bob@example.org", "eve@example.org")))
        say(it, "hello")
        it.wait("two mails", lambda: len(box.mails) == 2)
        lab.equal(sorted(to for to, _ in box.mails), [["bob@example.org"], ["eve@example.org"]])
        for _, text in box.mails:
            mail = email.message_from_bytes(text, policy=email.policy.default)
            lab.equal(mail["To"], "anna@example.org, bob@example.org, eve@example.org")
            lab.equal(mail["Message-ID"], "<simgate.message.1@example.org>")
        it.wait("the third given up", lambda: not it.json("deliveries")["deliveries"])
        lab.true(it.said("given up: RCPT failed: 550: no such user"), "the server's words are in the log")
        lab.equal(sum("RCPT TO:<anna" in line for line in box.lines), 1)
    box.shutdown()


def test_what_is_refused_for_good(build):
    """5yz to sender, recipient or mail is an answer for good: asked once, given up with an alarm in the server's words, and the
    mailbox is as well as before. 4yz, a server that wants a login first, and one that takes nobody today are asked again."""
    for verb, answer, told in (("RCPT", "550-5.1.1 no\r\n550 5.1.1 such user", "RCPT failed: 550: 5.1.1 such user"),
                               ("MAIL", "553 not you", "MAIL failed: 553: not you"),
                               ("BODY", "554 spam", "the server answered 554: spam")):
        box = Smtp(refuse=lambda v, line: answer if v == verb else None)
        with lab.Lab(build) as it:
            handlers(it, office(box))
            say(it, "hello")
            it.wait("it is given up", lambda: it.said(f"given up: {told}"))
            lab.equal(it.json("deliveries")["deliveries"], [])
            lab.equal(sum(line.startswith(("QUIT", "EHLO")) and "EHLO" in line for line in box.lines), 1)
            lab.equal([h["failed"] for h in it.json("handlers")["handlers"]], [0])
        box.shutdown()
    for verb, answer in (("RCPT", "450 later"), ("MAIL", "530 5.7.0 Authentication required"), ("BODY", "451 later"),
                         ("EHLO", "554 not today")):
        box = Smtp(refuse=lambda v, line: answer if v == verb or verb == v.replace("HELO", "EHLO") else None)
        with lab.Lab(build) as it:
            handlers(it, office(box))
            say(it, "hello")
            it.wait("a failure", lambda: it.said("failed"))
            waits = it.json("deliveries")["deliveries"]
            lab.equal([(d["handler"], d["reason"].endswith(": " + answer.split(" ", 1)[1])) for d in waits], [("office", True)])
        box.shutdown()


def test_refused_at_the_end(build):
    """A mail that the server does not take is sent again, by the same Message-ID; the server's answer is in the log."""
    noes = ["451 later"]
    box = Smtp(refuse=lambda verb, line: noes.pop() if verb == "BODY" and noes else None)
    with lab.Lab(build) as it:
        handlers(it, office(box))
        say(it, "hello")
        it.wait("the mail", lambda: box.mails)
        lab.true(it.said("the server answered 451"), "the answer")
        time.sleep(1)
        lab.equal(len(box.mails), 1)
    box.shutdown()


def test_password_over_tls_only(build):
    """With a user nothing is said to a server without STARTTLS; where it has it, the password goes encrypted, to a certificate
    that is checked."""
    with lab.Lab(build) as it:
        files = certificate(it)
        user = 'user = "shop"; password = "secret";'
        bare, sealed = Smtp(auth=True), Smtp(certificate=files, auth=True)
        handlers(it, office(bare, more=user))
        say(it, "hello")
        it.wait("a failure", lambda: it.said("STARTTLS not supported"))
        it.write_conf(rest=f"handlers = ( {office(sealed, more=user)} );")
        it.run("reload")
        it.wait("another", lambda: it.said("certificate verification failed"))
        for box in (bare, sealed):
            lab.true(box.lines and not any("AUTH" in line or "MAIL" in line for line in box.lines), box.lines)
        trusted = user + f' ca_file = "{files[0]}";'
        it.write_conf(rest=f"handlers = ( {office(sealed, more=trusted)} );")
        it.run("reload")
        it.wait("the mail", lambda: sealed.mails)
        lab.true(any(line.startswith("TLS AUTH PLAIN") for line in sealed.lines), sealed.lines)
        lab.true(not any(line.startswith(("AUTH", "MAIL")) for line in sealed.lines), sealed.lines)


def test_mail_server_of_this_machine(build):
    """smtp://localhost with the certificate that its package made: encrypted, and taken."""
    with lab.Lab(build) as it:
        box = Smtp(certificate=certificate(it))
        handlers(it, office(box))
        say(it, "hello")
        it.wait("the mail", lambda: box.mails)
        lab.true(any(line.startswith("TLS MAIL") for line in box.lines), box.lines)
        box.shutdown()


def test_names_and_subjects(build):
    """Names and subjects of any characters are headers as RFC 5322 and 2047 want them, in lines of at most 76."""
    box = Smtp()
    with lab.Lab(build) as it:
        names = {"Bäckerei Müller": "Bäckerei Müller", "Shop, Inc.": "Shop, Inc.", "Shop (Berlin)": "Shop (Berlin)",
                 '\\"Shop, Inc.\\"': "Shop, Inc.", 'Shop \\"7\\"': 'Shop "7"', "": ""}
        for n, (name, shown) in enumerate(names.items()):
            conf = office(box, sender=f"{name} <shop@example.org>".strip())
            it.write_conf(rest=f"handlers = ( {conf} );")
            it.run("reload") if n else it.start()
            say(it, TEXT)
            it.wait("the mail", lambda: len(box.mails) > n)
            mail = email.message_from_bytes(box.mails[n][1], policy=email.policy.default)
            sender = mail["From"].addresses
            lab.equal([(a.display_name, a.addr_spec) for a in sender], [(shown, "shop@example.org")])
            lab.true(mail["Subject"].strip() == f"{CUSTOMER}: {TEXT}".strip(), mail["Subject"])
            lab.true(mail.get_content().replace("\r\n", "\n").strip().endswith(TEXT.strip()), "the text")
            lab.true(max(map(len, box.mails[n][1].split(b"\r\n"))) <= 76, "short lines")
    box.shutdown()


if __name__ == "__main__":
    lab.main(globals())
