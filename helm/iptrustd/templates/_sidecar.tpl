{{/* iptrustd beside an application, as a native sidecar. For charts that have this one as a dependency, with
`mode: sidecar` and in the application's release:

      initContainers:
        {{- include "iptrustd.sidecar.initContainer" .Subcharts.iptrustd | nindent 8 }}
      containers:
        - name: app
          volumeMounts:
            {{- include "iptrustd.sidecar.volumeMounts" .Subcharts.iptrustd | nindent 12 }}
      volumes:
        {{- include "iptrustd.sidecar.volumes" .Subcharts.iptrustd | nindent 8 }}
*/}}
{{- define "iptrustd.sidecar.initContainer" -}}
- restartPolicy: Always # starts before the application and ends after it
  {{- include "iptrustd.container" . | nindent 2 }}
{{- end }}

{{- define "iptrustd.sidecar.volumes" -}}
{{ include "iptrustd.volumes" . }}
{{- end }}

{{- define "iptrustd.sidecar.volumeMounts" -}}
- {name: iptrustd-sockets, mountPath: {{ .Values.sidecar.mountPath }}}
{{- end }}
