#!/bin/sh
# Runs inside the fresh root, under its systemd, once the package's service has been started by the boot. Every line "key=value"
# is read by stages.py, which knows what each must be; what goes wrong here shows as a missing or a wrong value.
say() { printf '%s=%s\n' "$1" "$2"; }
show() { systemctl show -p "$1" --value iptrustd.service; }
ask() { iptrust resolve --server http://127.0.0.1:8080 --policy cloudflare --peer 173.245.48.10 -H 'X-Forwarded-For: 6.6.6.6, 8.8.8.8' -o json; }
status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

say boot_active "$(systemctl is-active iptrustd)"
say boot_enabled "$(systemctl is-enabled iptrustd)"
say sockets_enabled "$(systemctl is-enabled iptrustd-http.socket)"
say notify_status "$(show StatusText)"
pid=$(show MainPID)
say uid "$(status "$pid" Uid)"
say capabilities "$(status "$pid" CapEff) $(status "$pid" CapBnd)"
say no_new_privileges "$(status "$pid" NoNewPrivs)"
say seccomp "$(status "$pid" Seccomp)"
say writable "$(awk '$4 ~ "(^|,)rw(,|$)"' "/proc/$pid/mounts" | awk '{print $2}' | grep -cx /usr)"
iptrust health >/dev/null && say health yes
say answer "$(ask)"
say state "$(stat -c '%U %a' /var/lib/private/iptrustd)"
say admin_socket "$(stat -c '%a' /run/iptrustd/admin.sock)"

printf '\n# a line of the administrator\n' >>/etc/iptrustd/iptrustd.yaml
systemctl reload iptrustd && say reload yes
say after_reload "$(systemctl is-active iptrustd) $([ "$(show MainPID)" = "$pid" ] && echo same) $(show StatusText)"
cp -p /etc/iptrustd/iptrustd.yaml /root/before
echo 'nonsense: [' >>/etc/iptrustd/iptrustd.yaml
systemctl reload iptrustd
sleep 2
say after_bad_reload "$(systemctl is-active iptrustd) $(show StatusText)"
cp -p /root/before /etc/iptrustd/iptrustd.yaml
systemctl reload iptrustd

# N to N+1, whose default configuration is another one; N+2, whose default is that of N+1.
export DEBIAN_FRONTEND=noninteractive
dpkg -i --force-confdef --force-confold /packages/next.deb >/root/upgrade.log 2>&1 </dev/null && say upgrade yes
say upgraded "$(dpkg-query -W -f '${Version}' iptrustd) $(systemctl is-active iptrustd) $([ "$(show MainPID)" != "$pid" ] && echo restarted)"
say kept "$(grep -c 'a line of the administrator' /etc/iptrustd/iptrustd.yaml)"
say offered "$(grep -c 'of the next version' /etc/iptrustd/iptrustd.yaml.dpkg-dist)"
dpkg -i /packages/last.deb >/root/upgrade2.log 2>&1 </dev/null && say upgrade_silent yes
say kept_again "$(grep -c 'a line of the administrator' /etc/iptrustd/iptrustd.yaml) $(systemctl is-active iptrustd)"
say answer_after "$(ask)"

# The first caller starts it.
systemctl stop iptrustd
systemctl start iptrustd-http.socket
say before_call "$(systemctl is-active iptrustd)"
say answer_activated "$(ask)"
say after_call "$(systemctl is-active iptrustd)"
systemctl stop iptrustd-http.socket iptrustd

# A watchdog that hears nothing restarts it: the process is stopped, not ended.
mkdir -p /run/systemd/system/iptrustd.service.d
printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/iptrustd.service.d/short.conf
systemctl daemon-reload
systemctl start iptrustd
pid=$(show MainPID)
kill -STOP "$pid"
for _ in $(seq 100); do
  sleep 0.2
  [ "$(show MainPID)" != "$pid" ] && [ "$(systemctl is-active iptrustd)" = active ] && break
done
say after_watchdog "$(systemctl is-active iptrustd) $([ "$(show MainPID)" != "$pid" ] && echo restarted) $(show Result)"

dpkg --purge iptrustd >/root/purge.log 2>&1 && say purge yes
say left "$(ls -d /etc/iptrustd/iptrustd.yaml /var/lib/iptrustd /var/lib/private/iptrustd /usr/bin/iptrustd 2>/dev/null | tr '\n' ' ')"
say end yes
journalctl -u iptrustd -o cat --no-pager | tail -40 | sed 's/^/log: /'
systemctl --no-block poweroff
