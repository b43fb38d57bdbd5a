# Delta's jars, resolved once with the Ivy that Spark brings, and laid beside Spark's own: no session resolves them again.

complete_spark() {
  local jars spark
  spark=$(echo "$PART"/lib/python3*/site-packages/pyspark)
  jars=$CACHE/delta-jars-$(cat environment/delta-jars.* | sha256sum | cut -c1-12)
  if ! [[ -d $jars ]]; then fetch_delta_jars "$spark/jars" "$jars"; fi
  cp "$jars"/*.jar "$spark/jars/"
  mkdir -p "$spark/conf"
  ln -s ../../../../../../conf/log4j2.properties "$spark/conf/"
}

fetch_delta_jars() {
  local spark_jars=$1 jars=$2
  say "fetching Delta's jars"
  "${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$spark_jars/*" org.apache.ivy.Main -error -cache "$WORK/ivy" \
    -ivy environment/delta-jars.xml -confs default -retrieve "$WORK/jars/[artifact]-[revision].[ext]" >"$WORK/ivy.log" 2>&1 ||
    fail "Delta's jars could not be fetched: $(grep -m 3 -v '^\.*$' "$WORK/ivy.log" | tr '\n' ' ')"
  (cd "$WORK/jars" && sha256sum --quiet --strict --check -) <environment/delta-jars.sha256 ||
    fail "Delta's jars are not those of environment/delta-jars.sha256"
  mv -T "$WORK/jars" "$jars" 2>/dev/null || [[ -d $jars ]]
}
