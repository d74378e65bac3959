{{- define "stalker.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (default .Chart.Name .Values.nameOverride) .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "stalker.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "stalker.labels" -}}
{{ include "stalker.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stalker.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "stalker.secretName" -}}
{{ .Values.secrets.existingSecret | default (printf "%s-keys" (include "stalker.fullname" .)) }}
{{- end }}

{{- /* The component whose pods do a role's work: dict "root" "role". */ -}}
{{- define "stalker.component" -}}
{{- if .root.Values.single.enabled }}single{{ else }}{{ .role }}{{ end }}
{{- end }}

{{- /* Addresses: those given, or the trial's own. */ -}}
{{- define "stalker.brokers" -}}
{{- if .Values.trial.enabled }}{{ toJson (list (printf "%s-kafka:9092" (include "stalker.fullname" .))) }}
{{- else }}{{ toJson (required "kafka.brokers must name your Kafka, e.g. [kafka-0.kafka:9092], or set trial.enabled" (.Values.kafka.brokers | default nil)) }}
{{- end }}
{{- end }}

{{- define "stalker.clickhouseAddresses" -}}
{{- if .Values.trial.enabled }}{{ toJson (list (printf "%s-clickhouse:9000" (include "stalker.fullname" .))) }}
{{- else }}{{ toJson (required "clickhouse.addresses must name your ClickHouse, e.g. [clickhouse:9000], or set trial.enabled" (.Values.clickhouse.addresses | default nil)) }}
{{- end }}
{{- end }}

{{- define "stalker.databaseSecret" -}}
{{- if .Values.trial.enabled }}{{ include "stalker.fullname" . }}-trial
{{- else }}{{ required "postgresql.existingSecret must name a secret with a connection string, or set trial.enabled" (.Values.postgresql.existingSecret | default nil) }}
{{- end }}
{{- end }}

{{- /* The server's configuration: what follows from the values, and .Values.config over it. */ -}}
{{- define "stalker.config" -}}
{{- $bus := dict }}
{{- $store := dict }}
{{- if not .Values.single.enabled }}
{{- $bus = dict "brokers" (include "stalker.brokers" . | fromJsonArray) "partitions" (int .Values.kafka.partitions) "replicas" (ternary 1 (int .Values.kafka.replicas) .Values.trial.enabled) "stableTransactions" true }}
{{- if .Values.kafka.tls.enabled }}
{{- $tls := dict "enabled" true }}
{{- if .Values.kafka.tls.existingSecret }}{{ $_ := set $tls "caFile" "/etc/stalker/kafka/ca.crt" }}{{ end }}
{{- if .Values.kafka.tls.clientCertificate }}{{ $_ := set $tls "certFile" "/etc/stalker/kafka/tls.crt" }}{{ $_ := set $tls "keyFile" "/etc/stalker/kafka/tls.key" }}{{ end }}
{{- $_ := set $bus "tls" $tls }}
{{- end }}
{{- with .Values.kafka.sasl.mechanism }}{{ $_ := set $bus "sasl" . }}{{ end }}
{{- $store = dict "addresses" (include "stalker.clickhouseAddresses" . | fromJsonArray) "protocol" .Values.clickhouse.protocol "database" .Values.clickhouse.database }}
{{- if .Values.clickhouse.tls.enabled }}
{{- $tls := dict "enabled" true }}
{{- if .Values.clickhouse.tls.existingSecret }}{{ $_ := set $tls "caFile" "/etc/stalker/clickhouse/ca.crt" }}{{ end }}
{{- $_ := set $store "tls" $tls }}
{{- end }}
{{- end }}
{{- $kube := dict "namespace" .Values.jobs.namespace "image" .Values.jobs.image "nucleiImage" .Values.jobs.nucleiImage "rawSockets" .Values.jobs.allowRawSockets }}
{{- with .Values.jobs.imagePullSecrets }}{{ $_ := set $kube "pullSecrets" . }}{{ end }}
{{- with .Values.jobs.allowedImages }}{{ $_ := set $kube "allowedImages" . }}{{ end }}
{{- with .Values.jobs.nodeSelector }}{{ $_ := set $kube "nodeSelector" . }}{{ end }}
{{- if .Values.jobs.priorityClasses }}
{{- $_ := set $kube "personClass" (printf "%s-person" (include "stalker.fullname" .)) }}
{{- $_ := set $kube "automationClass" (printf "%s-automation" (include "stalker.fullname" .)) }}
{{- end }}
{{- $derived := dict
  "data" "/var/lib/stalker"
  "log" (dict "format" "json")
  "http" (dict "listen" ":8080")
  "gatewayUrl" (printf "http://%s-gateway.%s.svc:%d/gateway/v1" (include "stalker.fullname" .) .Release.Namespace (int .Values.service.port))
  "bus" $bus "clickhouse" $store
  "launcher" (dict "runner" "kubernetes")
  "kubernetes" $kube }}
{{- toYaml (mergeOverwrite $derived (deepCopy .Values.config)) }}
{{- end }}

{{- /* What one role needs and the others do not get: dict "root" "role". */ -}}
{{- define "stalker.roleEnv" -}}
{{- if has .role (list "gateway" "launcher" "single") }}
- name: STALKER_CFG_JOBTOKENKEY
  valueFrom: {secretKeyRef: {name: {{ include "stalker.secretName" .root }}, key: job-token}}
{{- end }}
{{- if has .role (list "api" "launcher" "single") }}
- name: STALKER_CFG_SECRETS__KEY
  valueFrom: {secretKeyRef: {name: {{ include "stalker.secretName" .root }}, key: secret-key}}
{{- end }}
{{- if has .role (list "api" "migrate") }}
- name: STALKER_CFG_CONTROL__DSN
  valueFrom: {secretKeyRef: {name: {{ include "stalker.databaseSecret" .root }}, key: {{ .root.Values.trial.enabled | ternary "dsn" .root.Values.postgresql.dsnKey }}}}
{{- end }}
{{- end }}

{{- /* How the other systems are reached. */ -}}
{{- define "stalker.env" -}}
{{- with .Values.kafka.sasl.existingSecret }}
- name: STALKER_CFG_BUS__USER
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $.Values.kafka.sasl.userKey }}}}
- name: STALKER_CFG_BUS__PASSWORD
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $.Values.kafka.sasl.passwordKey }}}}
{{- end }}
{{- if .Values.trial.enabled }}
- name: STALKER_CFG_CLICKHOUSE__PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "stalker.fullname" . }}-trial, key: password}}
{{- end }}
{{- with .Values.clickhouse.existingSecret }}
- name: STALKER_CFG_CLICKHOUSE__USER
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $.Values.clickhouse.userKey }}}}
- name: STALKER_CFG_CLICKHOUSE__PASSWORD
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $.Values.clickhouse.passwordKey }}}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Where pods of the server may be put. */ -}}
{{- define "stalker.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.pod.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* How a pod of the server is asked how it is. */ -}}
{{- define "stalker.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: {{ .Values.single.enabled | ternary 300 60 }}
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 6
{{- end }}

{{- define "stalker.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "stalker.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "stalker.mounts" -}}
- {name: config, mountPath: /etc/stalker/stalker.yaml, subPath: stalker.yaml, readOnly: true}
- {name: data, mountPath: /var/lib/stalker}
- {name: tmp, mountPath: /tmp}
{{- with .Values.kafka.tls.existingSecret }}
- {name: kafka-tls, mountPath: /etc/stalker/kafka, readOnly: true}
{{- end }}
{{- with .Values.clickhouse.tls.existingSecret }}
- {name: clickhouse-tls, mountPath: /etc/stalker/clickhouse, readOnly: true}
{{- end }}
{{- end }}

{{- define "stalker.volumes" -}}
{{- if not .Values.single.enabled }}
- name: data
  emptyDir: {sizeLimit: 1Gi}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- with .Values.kafka.tls.existingSecret }}
- name: kafka-tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.clickhouse.tls.existingSecret }}
- name: clickhouse-tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- /* What every pod of the server may reach. */ -}}
{{- define "stalker.backendEgress" -}}
{{- $np := .Values.networkPolicy }}
- to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
- ports:
    {{- range $np.backendPorts }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with $np.backends }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
  {{- end }}
{{- end }}
