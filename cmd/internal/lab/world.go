package lab

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// host is an address of the lab.
type host struct {
	addr     netip.Addr
	services []*service
}

// service is what one port of a host does, and what a scanner should make of it.
// A service with sites and talk serves the sites by itself.
type service struct {
	ports                  []int // tried in order
	port                   int   // the one that is bound
	name, product, version string

	talk   func(net.Conn)      // TCP
	answer func([]byte) []byte // UDP
	sites  map[string]*site    // HTTP
}

// world is every host of the lab.
func (l *Lab) world() []*host {
	hosts := []*host{
		{l.addr(1), l.front()},
		{l.addr(2), l.admin()},
		{l.addr(3), mail()},
		{l.addr(4), database()},
		{l.addr(5), voice()},
		{l.addr(6), hostile()},
	}
	if l.network.Addr().IsLoopback() {
		hosts = append(hosts, &host{netip.IPv6Loopback(), six()})
	}
	return hosts
}

// missingName is asked for and does not exist.
const missingName = "gone." + apex

// records is the zone. The database has no name: only a scan of the range finds it.
func (l *Lab) records() []string {
	a := func(name string, last byte) string { return fmt.Sprintf("%s A %s", name, l.addr(last)) }
	list := []string{
		"@ SOA ns." + apex + ". hostmaster." + apex + ". 1 3600 600 86400 60",
		a("@", 1), a("www", 1), a("admin", 2), a("mail", 3), a("voice", 5), a("hostile", 6),
		"shop CNAME www",        // an alias
		"assets CNAME cdn.edge", // an alias of a name with two addresses
		a("cdn.edge", 1), a("cdn.edge", 2),
		"empty TXT \"no addresses\"", // exists and leads nowhere
	}
	if l.ipv6 {
		list = append(list, "six AAAA ::1", a("dual", 5), "dual AAAA ::1")
	}
	return list
}

// front is a web server with virtual hosts, plain and with TLS, and SSH.
func (l *Lab) front() []*service {
	nginx := map[string]string{"Server": "nginx/1.24.0"}
	notFound := &site{status: 404, title: "404 Not Found", headers: nginx, uses: []string{"Nginx"}}
	cert := &certificate{names: []string{"www." + apex, apex, "shop." + apex}, valid: 80 * 24 * time.Hour}
	blog := site{
		title: "Stalker Lab", headers: nginx, uses: []string{"Nginx", "WordPress"},
		head: `<meta name="generator" content="WordPress 6.5.2"><link rel="stylesheet" href="/wp-content/themes/lab/style.css">`,
	}
	shop := site{
		title: "Shop – Grüße aus dem Labor", headers: map[string]string{"Server": "nginx/1.24.0", "X-Powered-By": "PHP/8.2.7", "Set-Cookie": "PHPSESSID=lab; HttpOnly"},
		uses: []string{"Nginx", "PHP"},
	}
	secure := func(s site) *site { s.cert = cert; return &s }
	return []*service{
		{ports: []int{8080, 8000, 3000}, name: "http", product: "nginx", version: "1.24.0", sites: map[string]*site{
			nobody: notFound, "www." + apex: &blog, "shop." + apex: &shop,
			apex: {status: 301, title: "Moved Permanently", headers: map[string]string{"Server": "nginx/1.24.0", "Location": "https://www." + apex + ":8443/"}, uses: []string{"Nginx"}},
		}},
		{ports: []int{8443, 9443, 10443}, name: "https", product: "nginx", version: "1.24.0", sites: map[string]*site{
			nobody: secure(*notFound), "www." + apex: secure(blog), "shop." + apex: secure(shop),
		}},
		{ports: []int{2222, 2223, 2224}, name: "ssh", product: "OpenSSH", version: "9.6p1", talk: greet("SSH-2.0-OpenSSH_9.6p1 Debian-3\r\n")},
	}
}

// admin has what should not be in the open, and a certificate that expires soon.
func (l *Lab) admin() []*service {
	cert := &certificate{names: []string{"admin." + apex}, valid: 5 * 24 * time.Hour}
	return []*service{
		{ports: []int{8443, 9443, 10443}, name: "https", product: "Caddy", sites: map[string]*site{
			nobody: {title: "Grafana", headers: map[string]string{"Server": "Caddy", "Set-Cookie": "grafana_session=; Path=/"}, uses: []string{"Caddy", "Grafana"}, cert: cert},
		}},
		{ports: []int{8081, 8082, 8083}, name: "http", product: "Jetty", sites: map[string]*site{
			nobody: {status: 403, title: "Sign in [Jenkins]", headers: map[string]string{"Server": "Jetty(10.0.18)", "X-Jenkins": "2.440.1"}, uses: []string{"Jenkins", "Jetty"}},
		}},
	}
}

func mail() []*service {
	return []*service{
		{ports: []int{2525, 2526, 2527}, name: "smtp", product: "Postfix smtpd", talk: greet("220 mail." + apex + " ESMTP Postfix (Debian/GNU)\r\n")},
		{ports: []int{1143, 1144, 1145}, name: "imap", product: "Dovecot imapd", talk: greet("* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n")},
		{ports: []int{2121, 2122, 2123}, name: "ftp", product: "vsftpd", version: "3.0.5", talk: greet("220 (vsFTPd 3.0.5)\r\n")},
	}
}

func database() []*service {
	return []*service{
		{ports: []int{3306, 33060, 33061}, name: "mysql", product: "MySQL", version: "8.0.36", talk: greet(mysqlGreeting("8.0.36"))},
		{ports: []int{6379, 6380, 6381}, name: "redis", product: "Redis key-value store", version: "7.2.4", talk: redis("7.2.4")},
	}
}

// voice is seen by UDP alone.
func voice() []*service {
	return []*service{{ports: []int{3478}, name: "stun", version: "Coturn-4.6.1", answer: stun("Coturn-4.6.1")}}
}

func six() []*service {
	return []*service{
		{ports: []int{8086, 8087, 8088, 8089, 8090, 8091}, name: "http", product: "lighttpd", version: "1.4.71", sites: map[string]*site{
			nobody:         {title: "Reached by IPv6", headers: map[string]string{"Server": "lighttpd/1.4.71"}, uses: []string{"lighttpd"}},
			"dual." + apex: {title: "Both protocols", headers: map[string]string{"Server": "lighttpd/1.4.71"}, uses: []string{"lighttpd"}},
		}},
		{ports: []int{2226, 2227, 2228, 2229, 2230, 2231}, name: "ssh", product: "Dropbear sshd", version: "2022.83", talk: greet("SSH-2.0-dropbear_2022.83\r\n")},
	}
}
