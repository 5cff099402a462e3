// Asks grpc.health.v1, reflection and TrustService over grpc-netty, the transport of nearly every Java service; prints what came
// back, one fact a line.
//
//   java -cp 'JARS/*' Client.java [-cacert FILE [-cert FILE -key FILE]] HOST:PORT

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.lite.ProtoLiteUtils;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

public final class Client {
    // Messages without their schema: fields by number.
    private static MethodDescriptor<UnknownFieldSet, UnknownFieldSet> method(String name, MethodDescriptor.MethodType type) {
        return MethodDescriptor.<UnknownFieldSet, UnknownFieldSet>newBuilder()
            .setType(type)
            .setFullMethodName("iptrust.v1.TrustService/" + name)
            .setRequestMarshaller(ProtoLiteUtils.marshaller(UnknownFieldSet.getDefaultInstance()))
            .setResponseMarshaller(ProtoLiteUtils.marshaller(UnknownFieldSet.getDefaultInstance()))
            .build();
    }

    private static UnknownFieldSet field(int number, ByteString value) {
        return UnknownFieldSet.newBuilder()
            .mergeField(number, UnknownFieldSet.Field.newBuilder().addLengthDelimited(value).build())
            .build();
    }

    // ResolveRequest.request.peer
    private static UnknownFieldSet asked(String peer) {
        return field(1, field(1, ByteString.copyFromUtf8(peer)).toByteString());
    }

    private static String status(Runnable call) {
        try {
            call.run();
            return "OK";
        } catch (StatusRuntimeException error) {
            return error.getStatus().getCode().toString();
        }
    }

    private static int stream(ManagedChannel channel, int count) throws InterruptedException {
        AtomicInteger answers = new AtomicInteger();
        CountDownLatch over = new CountDownLatch(1);
        StreamObserver<UnknownFieldSet> ask = ClientCalls.asyncBidiStreamingCall(
            channel.newCall(method("ResolveStream", MethodDescriptor.MethodType.BIDI_STREAMING), CallOptions.DEFAULT),
            new StreamObserver<UnknownFieldSet>() {
                @Override public void onNext(UnknownFieldSet answer) { answers.incrementAndGet(); }
                @Override public void onError(Throwable error) { answers.set(-1); over.countDown(); }
                @Override public void onCompleted() { over.countDown(); }
            });
        for (int i = 0; i < count; i++) {
            ask.onNext(asked("10.0.12.1"));
        }
        ask.onCompleted();
        return over.await(60, TimeUnit.SECONDS) ? answers.get() : -2;
    }

    private static int services(ManagedChannel channel) throws InterruptedException {
        AtomicInteger found = new AtomicInteger();
        CountDownLatch over = new CountDownLatch(1);
        StreamObserver<ServerReflectionRequest> ask = ServerReflectionGrpc.newStub(channel).serverReflectionInfo(
            new StreamObserver<ServerReflectionResponse>() {
                @Override public void onNext(ServerReflectionResponse answer) {
                    found.set(answer.getListServicesResponse().getServiceCount());
                }
                @Override public void onError(Throwable error) { over.countDown(); }
                @Override public void onCompleted() { over.countDown(); }
            });
        ask.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
        ask.onCompleted();
        over.await(60, TimeUnit.SECONDS);
        return found.get();
    }

    public static void main(String[] args) throws Exception {
        Map<String, File> files = new HashMap<>();
        int at = 0;
        for (; args[at].startsWith("-"); at += 2) {
            files.put(args[at].substring(1), new File(args[at + 1]));
        }
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(args[at]);
        if (files.containsKey("cacert")) {
            var context = GrpcSslContexts.forClient().trustManager(files.get("cacert"));
            if (files.containsKey("cert")) {
                context = context.keyManager(files.get("cert"), files.get("key"));
            }
            builder.sslContext(context.build());
        } else {
            builder.usePlaintext();
        }
        ManagedChannel channel = builder.build();
        var resolve = method("Resolve", MethodDescriptor.MethodType.UNARY);
        var health = HealthGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
        System.out.println("health " + health.check(HealthCheckRequest.getDefaultInstance()).getStatus());
        System.out.println("watch " + health.watch(HealthCheckRequest.getDefaultInstance()).next().getStatus());
        System.out.println("services " + services(channel));
        for (int i = 0; i < 1000; i++) {
            ClientCalls.blockingUnaryCall(channel, resolve, CallOptions.DEFAULT, asked("10.0.12.1"));
        }
        System.out.println("stream " + stream(channel, 2000));
        System.out.println("missing " + status(() ->
            ClientCalls.blockingUnaryCall(channel, resolve, CallOptions.DEFAULT, UnknownFieldSet.getDefaultInstance())));
        System.out.println("unknown " + status(() -> ClientCalls.blockingUnaryCall(
            channel, method("Nope", MethodDescriptor.MethodType.UNARY), CallOptions.DEFAULT, asked("10.0.12.1"))));
        System.out.println("gzip " + status(() -> ClientCalls.blockingUnaryCall(
            channel, resolve, CallOptions.DEFAULT.withCompression("gzip"), asked("10.0.12.1"))));
        System.out.println("large " + status(() -> ClientCalls.blockingUnaryCall(
            channel, resolve, CallOptions.DEFAULT, field(15, ByteString.copyFrom(new byte[17 << 20])))));
        channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
}
