{{/* The container of iptrustd: the same in a pod of its own and as a native sidecar. */}}
{{- define "iptrustd.container" -}}
name: iptrustd
image: {{ include "iptrustd.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [iptrustd]
args: [--config, /etc/iptrustd]
env:
  - {name: IPTRUST_LOG_FORMAT, value: json}
  {{- if not .Values.refresh }}
  - {name: IPTRUST_REFRESH, value: "off"}
  {{- end }}
ports:
  {{- if not (include "iptrustd.sockets" .) }}
  - {name: http, containerPort: {{ int .Values.ports.http }}}
  - {name: grpc, containerPort: {{ int .Values.ports.grpc }}}
  {{- end }}
  - {name: {{ include "iptrustd.healthPort" . }}, containerPort: {{ int .Values.ports.health }}}
# It is ready before its lists are fetched; only a configuration that is wrong, or databases of hundreds of MB, take longer.
startupProbe:
  httpGet: {path: /readyz, port: {{ include "iptrustd.healthPort" . }}}
  periodSeconds: 1
  failureThreshold: 60
# The heartbeat of every thread that answers.
livenessProbe:
  httpGet: {path: /livez, port: {{ include "iptrustd.healthPort" . }}}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: {{ include "iptrustd.healthPort" . }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
resources:
  {{- if .Values.resources }}
  {{- toYaml .Values.resources | nindent 2 }}
  {{- else }}
  requests: {cpu: {{ eq .Values.mode "sidecar" | ternary "20m" "100m" }}, memory: {{ eq .Values.mode "sidecar" | ternary "32Mi" "64Mi" }}}
  limits: {memory: {{ include "iptrustd.memory" . }}Mi}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: {{ eq .Values.mode "daemonset" | ternary (int .Values.daemonset.group) 65532 }}
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
  # The directory, never a subPath: the kubelet swaps its ..data link, and that is what iptrustd watches.
  - {name: iptrustd-config, mountPath: /etc/iptrustd, readOnly: true}
  - {name: iptrustd-state, mountPath: /var/lib/iptrustd}
  - {name: iptrustd-admin, mountPath: /run/iptrustd-admin}
  {{- if include "iptrustd.sockets" . }}
  - {name: iptrustd-sockets, mountPath: {{ include "iptrustd.socketPath" . }}}
  {{- end }}
  {{- if and .Values.tls.enabled (ne .Values.mode "sidecar") }}
  - {name: iptrustd-tls, mountPath: /etc/iptrustd-tls, readOnly: true}
  {{- if .Values.tls.client.required }}
  - {name: iptrustd-client-ca, mountPath: /etc/iptrustd-client-ca, readOnly: true}
  {{- end }}
  {{- end }}
  {{- if .Values.geo.enabled }}
  - {name: iptrustd-geo, mountPath: /usr/share/GeoIP, readOnly: true}
  {{- end }}
  {{- if .Values.serveCentral.enabled }}
  - {name: iptrustd-signing, mountPath: /run/secrets/iptrustd-signing, readOnly: true}
  {{- end }}
  {{- range .Values.secretMounts }}
  - {name: {{ printf "iptrustd-secret-%s" .name }}, mountPath: {{ printf "/run/secrets/iptrustd/%s" .name }}, readOnly: true}
  {{- end }}
{{- end }}

{{/* Beside an application, whose own port may be called health. */}}
{{- define "iptrustd.healthPort" -}}
{{- eq .Values.mode "sidecar" | ternary "iptrustd-health" "health" -}}
{{- end }}

{{- define "iptrustd.volumes" -}}
- name: iptrustd-config
  configMap: {name: {{ include "iptrustd.fullname" . }}}
- name: iptrustd-state
{{- if and (eq .Values.state.type "ephemeral") (ne .Values.mode "sidecar") }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        {{- include "iptrustd.claim" . | nindent 8 }}
{{- else if eq .Values.state.type "persistentVolumeClaim" }}
  persistentVolumeClaim: {claimName: {{ default (printf "%s-state" (include "iptrustd.fullname" .)) .Values.state.existingClaim }}}
{{- else if eq .Values.state.type "hostPath" }}
  hostPath: {path: {{ .Values.state.hostPath }}, type: DirectoryOrCreate}
{{- else }}
  emptyDir: {sizeLimit: {{ .Values.state.size }}}
{{- end }}
- name: iptrustd-admin
  emptyDir: {sizeLimit: 1Mi}
{{- if eq .Values.mode "sidecar" }}
- name: iptrustd-sockets
  emptyDir: {sizeLimit: 1Mi}
{{- else if include "iptrustd.sockets" . }}
- name: iptrustd-sockets
  hostPath: {path: {{ .Values.daemonset.hostPath }}, type: DirectoryOrCreate}
{{- end }}
{{- if and .Values.tls.enabled (ne .Values.mode "sidecar") }}
- name: iptrustd-tls
  secret: {secretName: {{ include "iptrustd.tlsSecret" . }}, defaultMode: {{ include "iptrustd.secretMode" . }}}
{{- if .Values.tls.client.required }}
- name: iptrustd-client-ca
  secret:
    secretName: {{ default (include "iptrustd.tlsSecret" .) .Values.tls.client.secretName }}
    defaultMode: 0440
    items: [{key: {{ .Values.tls.client.key }}, path: {{ .Values.tls.client.key }}}]
{{- end }}
{{- end }}
{{- if .Values.geo.enabled }}
- name: iptrustd-geo
  emptyDir: {sizeLimit: {{ mul 3 (int .Values.geo.sizeMiB) }}Mi}
{{- end }}
{{- if .Values.serveCentral.enabled }}
- name: iptrustd-signing
  secret: {secretName: {{ .Values.serveCentral.secretName }}, defaultMode: {{ include "iptrustd.secretMode" . }}}
{{- end }}
{{- range .Values.secretMounts }}
- name: {{ printf "iptrustd-secret-%s" .name }}
  secret: {secretName: {{ .secretName }}, defaultMode: {{ include "iptrustd.secretMode" $ }}}
{{- end }}
{{- end }}

{{/* In a pod of our own the volume's group is ours; an application's pod has whatever group it has, and mounts it nowhere. */}}
{{- define "iptrustd.secretMode" -}}
{{- eq .Values.mode "sidecar" | ternary "0444" "0440" -}}
{{- end }}

{{- define "iptrustd.claim" -}}
accessModes: [ReadWriteOnce]
resources: {requests: {storage: {{ .Values.state.size }}}}
{{- with .Values.state.storageClassName }}
storageClassName: {{ . }}
{{- end }}
{{- end }}

{{/* metadata and spec of a pod of our own. */}}
{{- define "iptrustd.pod" -}}
metadata:
  labels:
    {{- include "iptrustd.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # What takes effect at the start rolls the pods; live.yaml does not.
    checksum/start: {{ include "iptrustd.start" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "iptrustd.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add (int .Values.drain.delay) (int .Values.drain.timeout) 10 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - {name: {{ . }}}
    {{- end }}
  {{- end }}
  securityContext:
    {{- if not (include "iptrustd.prepare" .) }}
    runAsNonRoot: true
    {{- end }}
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  {{- if include "iptrustd.prepare" . }}
  initContainers:
    - name: prepare
      image: {{ .Values.daemonset.prepareImage | quote }}
      command: [install, -d, -o, "65532", -g, "{{ int .Values.daemonset.group }}", -m, "2750"]
      args:
        - /prepare/run
        {{- if eq .Values.state.type "hostPath" }}
        - /prepare/state
        {{- end }}
      securityContext:
        runAsNonRoot: false
        runAsUser: 0
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL], add: [CHOWN, FOWNER, FSETID]}
      volumeMounts:
        - {name: {{ ternary "iptrustd-sockets" "iptrustd-admin" (eq .Values.daemonset.expose "socket") }}, mountPath: /prepare/run}
        {{- if eq .Values.state.type "hostPath" }}
        - {name: iptrustd-state, mountPath: /prepare/state}
        {{- end }}
      resources: {requests: {cpu: 5m, memory: 8Mi}, limits: {memory: 32Mi}}
  {{- end }}
  containers:
    - {{- include "iptrustd.container" . | nindent 6 }}
    {{- if .Values.geo.enabled }}
    - name: geoipupdate
      image: {{ .Values.geo.image | quote }}
      env:
        - {name: GEOIPUPDATE_ACCOUNT_ID, valueFrom: {secretKeyRef: {name: {{ .Values.geo.secretName }}, key: account}}}
        - {name: GEOIPUPDATE_LICENSE_KEY, valueFrom: {secretKeyRef: {name: {{ .Values.geo.secretName }}, key: key}}}
        - {name: GEOIPUPDATE_EDITION_IDS, value: {{ join " " .Values.geo.editions | quote }}}
        - {name: GEOIPUPDATE_FREQUENCY, value: {{ int .Values.geo.frequencyHours | quote }}}
        - {name: GEOIPUPDATE_DB_DIR, value: /usr/share/GeoIP}
        - {name: GEOIPUPDATE_LOCK_FILE, value: /usr/share/GeoIP/.geoipupdate.lock}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        runAsUser: 65532
        capabilities: {drop: [ALL]}
        seccompProfile: {type: RuntimeDefault}
      volumeMounts:
        - {name: iptrustd-geo, mountPath: /usr/share/GeoIP}
      resources: {requests: {cpu: 5m, memory: 32Mi}, limits: {memory: 128Mi}}
    {{- end }}
  volumes:
    {{- include "iptrustd.volumes" . | nindent 4 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with concat .Values.tolerations (eq .Values.mode "daemonset" | ternary .Values.daemonset.tolerations list) }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if eq .Values.mode "deployment" }}
  topologySpreadConstraints:
    {{- range $key, $when := dict "topology.kubernetes.io/zone" .Values.topologySpread.zone "kubernetes.io/hostname" .Values.topologySpread.hostname }}
    {{- if $when }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: {{ $when }}
      labelSelector:
        matchLabels:
          {{- include "iptrustd.selector" $ | nindent 10 }}
    {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Whether folders of the node have to be handed to our user first. */}}
{{- define "iptrustd.prepare" -}}
{{- if and (eq .Values.mode "daemonset") .Values.daemonset.prepareImage (or (include "iptrustd.sockets" .) (eq .Values.state.type "hostPath")) -}}yes{{- end -}}
{{- end }}
