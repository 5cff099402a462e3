{{/* iptrustd's configuration as two files of one directory: what takes effect at the start, and what the running daemon
takes over. A change of the first rolls the pods (checksum), a change of the second does not. */}}
{{- define "iptrustd.listener" -}}
{{- $top := index . 0 -}}{{- $name := index . 1 -}}
{{- if include "iptrustd.sockets" $top -}}
{{- $mode := eq $top.Values.mode "sidecar" | ternary $top.Values.sidecar.socketMode $top.Values.daemonset.socketMode -}}
listen: {{ printf "unix:%s/%s.sock" (include "iptrustd.socketPath" $top) $name | quote }}
mode: {{ $mode | quote }}
{{- else -}}
{{/* "[::]" takes IPv4 too, but not on nodes without IPv6. */ -}}
listen: {{ printf "0.0.0.0:%d" (int (index $top.Values.ports $name)) | quote }}
{{- if include "iptrustd.tls" . }}
tls:
  cert: /etc/iptrustd-tls/tls.crt
  key: /etc/iptrustd-tls/tls.key
  {{- if $top.Values.tls.client.required }}
  client_ca: /etc/iptrustd-client-ca/{{ $top.Values.tls.client.key }}
  {{- with $top.Values.tls.client.sans }}
  client_sans: {{ toJson . }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "iptrustd.socketPath" -}}
{{- if eq .Values.mode "sidecar" -}}{{ .Values.sidecar.mountPath }}{{- else -}}/run/iptrustd{{- end -}}
{{- end }}

{{- define "iptrustd.start" -}}
http:
  {{- include "iptrustd.listener" (list . "http") | nindent 2 }}
grpc:
  {{- include "iptrustd.listener" (list . "grpc") | nindent 2 }}
health:
  listen: {{ printf "0.0.0.0:%d" (int .Values.ports.health) | quote }}
admin:
  listen: "unix:/run/iptrustd-admin/admin.sock"
state_dir: /var/lib/iptrustd
drain: {delay: {{ int .Values.drain.delay }}s, timeout: {{ int .Values.drain.timeout }}s}
limits:
  {{- $limits := deepCopy (.Values.config.limits | default dict) }}
  {{- $_ := set $limits "connections" (int (include "iptrustd.connections" .)) }}
  {{- toYaml $limits | nindent 2 }}
{{- with .Values.config.auth }}
auth:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.central }}
central:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.serveCentral.enabled }}
serve_central: {signing_key_file: /run/secrets/iptrustd-signing/{{ .Values.serveCentral.key }}}
{{- end }}
{{- end }}

{{- define "iptrustd.live" -}}
{{- $live := omit .Values.config "limits" "auth" -}}
{{- $lists := $live.lists | default dict -}}
{{- $policies := $live.policies | default dict -}}
{{- if and .Values.central (empty $lists) -}}
{{- $live = omit $live "lists" -}}
{{- end -}}
{{- if and .Values.central (not (gt (len (omit $policies "default")) 0)) (empty $policies.default) -}}
{{- $live = omit $live "policies" -}}
{{- end -}}
{{- if .Values.geo.enabled -}}
{{- $files := list -}}
{{- range .Values.geo.editions }}{{ $files = append $files (printf "/usr/share/GeoIP/%s.mmdb" .) }}{{ end -}}
{{- $live = set (deepCopy $live) "geo" (dict "files" $files) -}}
{{- end -}}
{{ toYaml $live }}
{{- end }}
